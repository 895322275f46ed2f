import { invariant } from '../../lib/errors.ts'
import type { Binding } from '../columns/binding.ts'
import { BytesColumn } from '../columns/bytes-column.ts'
import { DecimalColumn } from '../columns/decimal-column.ts'
import { BooleanColumn, NumberColumn } from '../columns/fixed-column.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import { LongColumn } from '../columns/long-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import { appendField } from '../columns/shred.ts'
import type { Node } from '../parquet/leaves.ts'
import type { FieldPlan } from './proto-plan.ts'
import type { Slots } from './proto-record.ts'
import { fieldJson } from './proto-json.ts'
import { defaultOf, plainOf } from './proto-values.ts'

/** Where a field goes in one row group. */
export interface Target {
  readonly field: FieldPlan
  readonly node: Node
  /** Of what is not nested. */
  readonly column: LeafColumn | undefined
  readonly inner: readonly Binding[] | undefined
  /** A column of JSON, which takes anything. */
  readonly isJson: boolean
  /** Of an enum, the texts of its numbers; numbers without a name are few. */
  readonly symbols: ReadonlyMap<number, Buffer>
}

export function targetsOf(
  fields: readonly FieldPlan[],
  rows: RowGroupBuffer,
  bindings: readonly Binding[]
): readonly Target[] {
  return bindings.map(({ source, target, inner }) => {
    const field = fields.find(each => each.name === source)
    const node = rows.shape.fields.find(each => each.name === target)?.node
    invariant(field !== undefined && node !== undefined, `${source} is a field, ${target} a column`)
    const column = node.kind === 'leaf' ? rows.columns[node.leaf] : undefined
    const isJson = rows.schema.fields.find(({ name }) => name === target)?.isJson === true
    const symbols = [...field.value.symbols].map(([number, symbol]) => [number, Buffer.from(symbol)] as const)
    return { field, node, column, inner, isJson, symbols: new Map(symbols) }
  })
}

/** Appends what is in the slot of the field. */
export function appendFlat({ field, column, symbols }: Target, bytes: Buffer, slots: Slots): void {
  const { index } = field
  const number = slots.numbers[index] as number
  if (column instanceof BytesColumn) {
    if (field.value.kind !== 'enum') {
      column.append(bytes, slots.starts[index] as number, slots.lengths[index] as number)
      return
    }
    const symbol = symbols.get(number) ?? Buffer.from(String(number))
    column.append(symbol, 0, symbol.length)
  } else if (column instanceof LongColumn || column instanceof DecimalColumn) {
    const big = Number.isNaN(number) ? slots.bigs[index] : undefined
    if (big === undefined) column.append(number)
    else column.appendBig(big)
  } else if (column instanceof NumberColumn) column.append(number)
  else {
    invariant(column instanceof BooleanColumn, `the column of ${field.name} takes what is read`)
    column.append(number === 1)
  }
}

/** Appends what a field is when it is not set. */
export function appendDefault({ field, node, column }: Target): void {
  column?.appendValue(defaultOf(field.value), node.definition, 0)
}

/** Appends anything, as JSON; null for what is not set and may be. */
export function appendJson({ field, column }: Target, value: unknown): void {
  invariant(column instanceof BytesColumn, `the column of ${field.name} takes text`)
  const text = fieldJson(field, value)
  if (text === undefined) column.appendNull()
  else column.appendValue(text, column.leaf.maxDefinition, 0)
}

/** Appends what is nested or repeated, or in a message of its own. */
export function appendNested({ field, node, inner }: Target, value: unknown, columns: readonly LeafColumn[]): void {
  appendField(node, plainOf(field, value, inner), columns)
}
