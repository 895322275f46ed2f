import { invariant } from '../../lib/errors.ts'
import type { Binding } from '../columns/binding.ts'
import type { BytesColumn } from '../columns/bytes-column.ts'
import type { DecimalColumn } from '../columns/decimal-column.ts'
import { folded } from '../columns/evolve.ts'
import type { UuidColumn } from '../columns/fixed-bytes-column.ts'
import type { BooleanColumn, NumberColumn } from '../columns/fixed-column.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import type { LongColumn } from '../columns/long-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import { isNested, type ColumnType, type Field } from '../columns/schema.ts'
import { appendField } from '../columns/shred.ts'
import type { Node } from '../parquet/leaves.ts'
import { INTEGER, type JsonMembers } from './json-members.ts'
import { stringOf } from './json-names.ts'
import { decimalOf, longOf, nearestDouble } from './json-number.ts'
import { KIND } from './json-scanner.ts'
import type { JsonValue } from './json-tree.ts'
import { plainOf } from './json-values.ts'
import { parseDateDays, timestampMicrosOf } from './timestamp.ts'

/** Stands for a member that no value has. */
const NOBODY = -1
/** Remembered for each row group. */
const MAX_ROUTES = 8

/** Ways to append a value. */
const HOW = {
  TEXT: 0,
  LONG: 1,
  NUMBER: 2,
  BOOLEAN: 3,
  DECIMAL: 4,
  NESTED: 5,
  TIMESTAMP: 6,
  DATE: 7,
  UUID: 8,
  JSON: 9
} as const

/** How one member gets into one column. */
interface Target {
  readonly how: number
  /** Among the members. */
  readonly member: number
  readonly type: ColumnType
  readonly node: Node
  /** Of what is nested, the first of its leaves. */
  readonly leaf: LeafColumn
  readonly inner: readonly Binding[] | undefined
}

/** Where members go, for one way to bind them to one row group. */
interface Route {
  readonly bindings: readonly Binding[]
  readonly generation: number
  readonly targets: readonly Target[]
  readonly leaves: readonly LeafColumn[]
}

/** Appends the members of objects, which fit what they are bound to, to the columns of a row group. */
export class JsonWriter {
  readonly #members: JsonMembers
  /** The last first; weak, so that row groups which are done with need no memory. */
  readonly #routes = new WeakMap<RowGroupBuffer, Route[]>()

  constructor(members: JsonMembers) {
    this.#members = members
  }

  /** `trees`: the objects and arrays among the members, by their numbers. */
  append(
    bytes: Buffer,
    trees: readonly (JsonValue | undefined)[],
    rows: RowGroupBuffer,
    bindings: readonly Binding[]
  ): void {
    const { kinds } = this.#members
    const route = this.#routeTo(rows, bindings)
    for (const target of route.targets) {
      const kind = kinds[target.member] ?? KIND.MISSING
      if (target.how === HOW.NESTED) this.#appendNested(target, bytes, trees[target.member], route.leaves)
      else if (kind === KIND.MISSING || kind === KIND.NULL) target.leaf.appendNull()
      else this.#appendLeaf(target, kind, bytes)
    }
  }

  #routeTo(rows: RowGroupBuffer, bindings: readonly Binding[]): Route {
    let routes = this.#routes.get(rows)
    if (routes === undefined) this.#routes.set(rows, (routes = []))
    const { generation } = this.#members
    const index = routes.findIndex(
      route => route.bindings === bindings && route.leaves === rows.columns && route.generation === generation
    )
    if (index === 0) return routes[0] as Route
    const route = index < 0 ? this.#route(rows, bindings) : (routes.splice(index, 1)[0] as Route)
    routes.unshift(route)
    if (routes.length > MAX_ROUTES) routes.pop()
    return route
  }

  #route(rows: RowGroupBuffer, bindings: readonly Binding[]): Route {
    const leaves = rows.columns
    const nodes = new Map(rows.shape.fields.map(({ name, node }) => [name, node]))
    const fields = new Map(rows.schema.fields.map(field => [field.name, field]))
    // Of two with one source, the last takes the value.
    const last = new Map(bindings.map(({ source }, index) => [folded(source), index]))
    const targets = bindings.map(({ source, target, inner }, index) => {
      const isTaken = last.get(folded(source)) !== index
      const member = isTaken ? NOBODY : this.#members.columnOf(folded(source))
      const [node, field] = [nodes.get(target), fields.get(target)]
      invariant(member !== undefined, `${source} is a field that was reported`)
      invariant(node !== undefined && field !== undefined, `${target} is a column of the row group`)
      const { type } = field
      return { how: howOf(field), member, type, node, leaf: leaves[firstLeaf(node)] as LeafColumn, inner }
    })
    return { bindings, generation: this.#members.generation, targets, leaves }
  }

  #appendLeaf({ how, member, type, leaf }: Target, kind: number, bytes: Buffer): void {
    const { starts, ends, numbers } = this.#members
    const [start, end] = [starts[member] as number, ends[member] as number]
    switch (how) {
      case HOW.TEXT:
        if (kind === KIND.ESCAPED) {
          const text = Buffer.from(stringOf(bytes, start, end))
          ;(leaf as BytesColumn).append(text, 0, text.length)
        } else (leaf as BytesColumn).append(bytes, start, end - start)
        return
      case HOW.JSON: {
        const quotes = kind === KIND.STRING || kind === KIND.ESCAPED ? 1 : 0
        ;(leaf as BytesColumn).append(bytes, start - quotes, end - start + 2 * quotes)
        return
      }
      case HOW.LONG:
        if (kind === INTEGER) (leaf as LongColumn).append(numbers[member] as number)
        else appendWhole(leaf as LongColumn, longOf(bytes, start, end))
        return
      case HOW.NUMBER: {
        const number = kind === INTEGER ? (numbers[member] as number) : nearestDouble(bytes, start, end)
        ;(leaf as NumberColumn).append(number)
        return
      }
      case HOW.BOOLEAN:
        ;(leaf as BooleanColumn).append(kind === KIND.TRUE)
        return
      case HOW.TIMESTAMP:
        appendWhole(leaf as LongColumn, timestampMicrosOf(bytes, start, end))
        return
      case HOW.DATE:
        ;(leaf as NumberColumn).append(parseDateDays(bytes.toString('latin1', start, end)) as number)
        return
      case HOW.UUID:
        ;(leaf as UuidColumn).appendText(bytes, start)
        return
      default: {
        invariant(typeof type === 'object' && 'decimal' in type, `${leaf.leaf.name} is of a type that JSON has`)
        const { precision, scale } = type.decimal
        appendWhole(leaf as DecimalColumn, decimalOf(bytes, start, end, precision, scale))
      }
    }
  }

  #appendNested(
    { node, type, inner }: Target,
    bytes: Buffer,
    value: JsonValue | undefined,
    leaves: readonly LeafColumn[]
  ): void {
    appendField(node, value === undefined ? null : plainOf(bytes, value, type, inner), leaves)
  }
}

const HOWS = new Map<ColumnType, number>([
  ['string', HOW.TEXT],
  ['long', HOW.LONG],
  ['int', HOW.NUMBER],
  ['float', HOW.NUMBER],
  ['double', HOW.NUMBER],
  ['boolean', HOW.BOOLEAN],
  ['timestamp', HOW.TIMESTAMP],
  ['date', HOW.DATE],
  ['uuid', HOW.UUID]
])

function howOf({ type, isJson }: Field): number {
  if (isJson === true) return HOW.JSON
  return isNested(type) ? HOW.NESTED : (HOWS.get(type) ?? HOW.DECIMAL)
}

function appendWhole(column: LongColumn | DecimalColumn, whole: number | bigint | undefined): void {
  invariant(whole !== undefined, `${column.leaf.name} holds the number`)
  if (typeof whole === 'bigint') column.appendBig(whole)
  else column.append(whole)
}

function firstLeaf(node: Node): number {
  if (node.kind === 'leaf') return node.leaf
  return firstLeaf(node.kind === 'list' ? node.element : (node.fields[0] as { readonly node: Node }).node)
}
