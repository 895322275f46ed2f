import { INLINE } from '../../../columns/bronze.ts'
import { isNested, type ColumnType } from '../../../columns/schema.ts'
import type { Column } from './column.ts'
import { isRow } from './bad-rows.ts'
import { literal } from './identifier.ts'
import { staged } from './source.ts'
import { metadataColumn, type SnowflakeTable } from './table.ts'

/** Why the table cannot take a row's value, decided by Snowflake where the rows are: such a row never stops a batch. */
export interface Refusal {
  readonly column: Column
  /** True for the rows; an expression. */
  readonly condition: string
  /** For people. */
  readonly message: string
  readonly kind: 'Json' | 'Time' | 'Length' | 'Null' | 'Unforeseen'
}

/**
 * Everything that could fail while rows of the batch become rows of the table. Casts of numbers and bytes cannot: what is staged was
 * made of typed columns. A producer may have set a time whose year has five digits. TRY_PARSE_JSON gives NULL for what is no JSON,
 * for the empty text, and for an object that has one key twice (sql-reference/functions/parse_json); a JSON null is a VARIANT and
 * not NULL.
 */
export function refusalsOf({ columns, metadata, maxValueBytes }: SnowflakeTable): readonly Refusal[] {
  const own = columns.filter(({ field }) => field.isStagedOnly !== true)
  return own.flatMap(column => {
    const { field, name, limits } = column
    const value = staged(column)
    const found: Refusal[] = []
    if (field.isJson === true) {
      const condition = `${value} IS NOT NULL AND TRY_PARSE_JSON(${value}) IS NULL`
      found.push({ column, condition, message: `${name} is no JSON that Snowflake takes`, kind: 'Json' })
    }
    if (TIMES.has(field.type) && isOfRecords(column, metadata)) {
      const condition = `${value} IS NOT NULL AND TRY_CAST(${value} AS ${column.type}) IS NULL`
      found.push({ column, condition, message: `${name} is no time that Snowflake takes`, kind: 'Time' })
    }
    const { maxLength } = limits
    if (maxLength !== undefined && maxLength < maxValueBytes) {
      const length = holdsBytes(column) ? `LENGTH(TO_BINARY(${value}, 'BASE64'))` : `LENGTH(${value})`
      const unit = holdsBytes(column) ? 'bytes' : 'characters'
      const message = `${name} is longer than the ${maxLength} ${unit} of its column`
      found.push({ column, condition: `${length} > ${maxLength}`, message, kind: 'Length' })
    }
    if (limits.isNotNull === true)
      found.push({
        column,
        condition: `${value} IS NULL`,
        message: `${name} is null, which its column forbids`,
        kind: 'Null'
      })
    return found
  })
}

/** The ones for which a row is left out of the table; with policy Inline those that its columns cannot tell. */
export const hardRefusals = (table: SnowflakeTable): readonly Refusal[] => [
  ...unforeseenRefusals(table),
  ...refusalsOf(table).filter(refusal => !isInline(table, refusal))
]

/** Of rows that were found to make a statement fail. */
const unforeseenRefusals = (table: SnowflakeTable): readonly Refusal[] =>
  (table.badRows ?? []).map(row => ({
    column: metadataColumn(table, 'Offset'),
    condition: isRow(table, row),
    message: row.message,
    kind: 'Unforeseen'
  }))

/** With policy Inline: the row is there, its column is null, and `_error` says why. */
export const inlineRefusals = (table: SnowflakeTable): readonly Refusal[] =>
  refusalsOf(table).filter(refusal => isInline(table, refusal))

/** Nothing may be lost: a value as a whole needs the column that keeps what is bad in it. */
function isInline({ policy, metadata, columns }: SnowflakeTable, { column, kind }: Refusal): boolean {
  if (policy !== 'Inline' || kind === 'Null') return false
  const keeps = columns.some(({ field }) => field.name === INLINE.value)
  if (column === metadata.Value) return keeps && column.field.type === 'string'
  // The others were lifted from the value; the key, headers and coordinates were not.
  return (kind === 'Length' || kind === 'Time') && !Object.values(metadata).includes(column)
}

/** The first reason against a row of `B`, or NULL; undefined when there can be none. */
export function reasonExpression(refusals: readonly Refusal[]): string | undefined {
  if (refusals.length === 0) return undefined
  const cases = refusals.map(({ condition, message }) => `WHEN ${condition} THEN ${literal(message)}`)
  return `CASE ${cases.join(' ')} END`
}

const TIMES: ReadonlySet<ColumnType> = new Set(['timestamp', 'timestampNtz', 'date', 'time'])

/** Not the time of the commit, which is ours. */
const isOfRecords = (column: Column, { IngestedAt, IngestionDate }: SnowflakeTable['metadata']): boolean =>
  column !== IngestedAt && column !== IngestionDate

const holdsBytes = ({ field: { type } }: Column): boolean =>
  type === 'binary' || (typeof type === 'object' && !isNested(type) && 'fixed' in type)
