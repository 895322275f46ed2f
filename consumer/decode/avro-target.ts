import { invariant } from '../../lib/errors.ts'
import type { Binding } from '../columns/binding.ts'
import { BytesColumn } from '../columns/bytes-column.ts'
import { DecimalColumn } from '../columns/decimal-column.ts'
import { FixedBytesColumn, UuidColumn } from '../columns/fixed-bytes-column.ts'
import { BooleanColumn, NumberColumn } from '../columns/fixed-column.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import { LongColumn } from '../columns/long-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Node } from '../parquet/leaves.ts'
import { OP, plainPlan, type Plan } from './avro-plan.ts'

/** How a value gets into its column, or its parts into theirs. */
export const PUT = {
  BYTES: 0,
  LONG: 1,
  NUMBER: 2,
  BOOLEAN: 3,
  SYMBOL: 4,
  DECIMAL: 5,
  FIXED: 6,
  UUID: 7,
  /** 16 bytes as text. */
  UUID_TEXT: 8,
  JSON: 9,
  LIST: 10,
  STRUCT: 11,
  UNION: 12,
  /** Anything, as JSON. */
  ANY_JSON: 13
} as const

/** Where the values of a plan go in one row group. */
export interface Target {
  readonly plan: Plan
  readonly put: number
  /** Of a leaf. */
  readonly column: LeafColumn | undefined
  /** Definition level of a value that is there; of LIST, of an item. */
  readonly definition: number
  /** Of LIST: repetition level of the items after the first. */
  readonly repetition: number
  /** Definition level when it is null: that of the parent. */
  readonly nullDefinition: number
  /** All columns below, which get a null each when there is no value. */
  readonly leaves: readonly LeafColumn[]
  /**
   * STRUCT and UNION: as the parts of the plan; undefined for those that no column takes. LIST: the items; of a map
   * keys and values.
   */
  readonly parts: readonly (Target | undefined)[]
  /** STRUCT and UNION: columns of fields that the plan does not have. */
  readonly absent: readonly LeafColumn[]
}

/** Targets of the bound fields of a record whose parts are `names`, by part. */
export function targetsOf(
  parts: readonly Plan[],
  names: readonly string[],
  rows: RowGroupBuffer,
  bindings: readonly Binding[]
): readonly (Target | undefined)[] {
  const json = new Set(rows.schema.fields.flatMap(({ name, isJson }) => (isJson === true ? name : [])))
  const nodes = rows.shape.fields.flatMap(({ name, node }) => (json.has(name) ? node : []))
  return new Builder(rows.columns, new Set(nodes)).fields(parts, names, rows.shape.fields, bindings, 0)
}

type NamedNode = { readonly name: string; readonly node: Node }
type StructNode = Extract<Node, { kind: 'struct' }>
type ListNode = Extract<Node, { kind: 'list' }>

class Builder {
  readonly #columns: readonly LeafColumn[]
  /** Of columns of JSON. */
  readonly #json: ReadonlySet<Node>

  constructor(columns: readonly LeafColumn[], json: ReadonlySet<Node>) {
    this.#columns = columns
    this.#json = json
  }

  fields(
    parts: readonly Plan[],
    names: readonly string[],
    nodes: readonly NamedNode[],
    bindings: readonly Binding[] | undefined,
    above: number
  ): readonly (Target | undefined)[] {
    return parts.map((part, index) => {
      const name = names[index] ?? ''
      // Without bindings all fields land under their own names.
      const binding =
        bindings === undefined ? { source: name, target: name } : bindings.find(each => each.source === name)
      const field = binding && nodes.find(each => each.name === binding.target)
      if (binding === undefined || field === undefined || part.op === OP.VOID) return undefined
      return this.#target(part, field.node, binding.inner, above)
    })
  }

  #target(plan: Plan, node: Node, inner: readonly Binding[] | undefined, above: number): Target {
    const base = {
      plan,
      definition: node.definition,
      nullDefinition: above,
      leaves: this.#leaves(node),
      column: undefined,
      repetition: 0,
      parts: [],
      absent: []
    }
    switch (node.kind) {
      case 'leaf': {
        const column = this.#columns[node.leaf] as LeafColumn
        return { ...base, column, put: this.#json.has(node) ? PUT.ANY_JSON : putOf(plan, column) }
      }
      case 'struct':
        invariant(plan.op === OP.RECORD || plan.op === OP.UNION, 'a struct takes records and unions')
        return { ...base, put: plan.op === OP.UNION ? PUT.UNION : PUT.STRUCT, ...this.#struct(plan, node, inner) }
      case 'list':
        invariant(plan.op === (node.isMap ? OP.MAP : OP.ARRAY), 'a list takes arrays, a map takes maps')
        return { ...base, put: PUT.LIST, repetition: node.repetition, parts: this.#items(plan, node, inner) }
    }
  }

  #struct(plan: Plan, node: StructNode, inner: readonly Binding[] | undefined) {
    const parts = this.fields(plan.parts, plan.names, node.fields, inner, node.definition)
    const taken = new Set(parts.flatMap(part => part?.leaves ?? []))
    return { parts, absent: this.#leaves(node).filter(column => !taken.has(column)) }
  }

  #items(plan: Plan, node: ListNode, inner: readonly Binding[] | undefined): readonly Target[] {
    const [item] = plan.parts
    invariant(item !== undefined, 'arrays and maps have items')
    if (!node.isMap) return [this.#target(item, node.element, inner, node.definition)]
    invariant(node.element.kind === 'struct', 'a map has entries')
    const [key, value] = node.element.fields
    invariant(key !== undefined && value !== undefined, 'entries have keys and values')
    return [
      this.#target(TEXT_PLAN, key.node, undefined, node.definition),
      this.#target(item, value.node, inner, node.definition)
    ]
  }

  #leaves(node: Node): readonly LeafColumn[] {
    switch (node.kind) {
      case 'leaf':
        return [this.#columns[node.leaf] as LeafColumn]
      case 'struct':
        return node.fields.flatMap(field => this.#leaves(field.node))
      case 'list':
        return this.#leaves(node.element)
    }
  }
}

/** The keys of maps. */
const TEXT_PLAN = plainPlan(OP.STRING, { kind: 'string' })

function putOf({ op }: Plan, column: LeafColumn): number {
  if (column instanceof LongColumn && WHOLE.has(op)) return PUT.LONG
  if (column instanceof NumberColumn && NUMBERS.has(op)) return PUT.NUMBER
  if (column instanceof BooleanColumn && op === OP.BOOLEAN) return PUT.BOOLEAN
  if (column instanceof DecimalColumn && (op === OP.DECIMAL || op === OP.FIXED_DECIMAL)) return PUT.DECIMAL
  if (column instanceof UuidColumn && op === OP.UUID) return PUT.UUID
  if (column instanceof FixedBytesColumn && (op === OP.FIXED || op === OP.FIXED_UUID)) return PUT.FIXED
  invariant(column instanceof BytesColumn, `the column ${column.leaf.name} takes what is read`)
  if (op === OP.ENUM) return PUT.SYMBOL
  if (op === OP.JSON) return PUT.JSON
  if (op === OP.FIXED_UUID) return column.leaf.type === 'string' ? PUT.UUID_TEXT : PUT.BYTES
  invariant(op === OP.STRING || op === OP.BYTES || op === OP.FIXED || op === OP.UUID, 'text and bytes are what is left')
  return PUT.BYTES
}

const WHOLE: ReadonlySet<number> = new Set([
  OP.INT,
  OP.LONG,
  OP.TIME_MILLIS,
  OP.TIME_MICROS,
  OP.TIMESTAMP_MILLIS,
  OP.TIMESTAMP_MICROS
])
const NUMBERS: ReadonlySet<number> = new Set([OP.INT, OP.DATE, OP.FLOAT, OP.DOUBLE])
