import { invariant } from '../../../../lib/errors.ts'
import { INLINE } from '../../../columns/bronze.ts'
import type { StagedRange } from '../../../sink.ts'
import { isRow, within, type Slice } from './bad-rows.ts'
import type { Column } from './column.ts'
import { literal } from './identifier.ts'
import { hardRefusals, inlineRefusals, reasonExpression, refusalsOf } from './refusals.ts'
import { REFUSED } from './refused.ts'
import type { Bind, Statement } from '../session/session.ts'
import { staged, type Source } from './source.ts'
import { metadataColumn, ownColumns, type SnowflakeTable } from './table.ts'
import { writeExpression } from './types.ts'

/**
 * Rows of the batch become rows of the table; those that it refuses are left out. Mode Transaction tells by the rows it inserts
 * how many were refused; mode Merge does not, since rows that are there already are left out too. With a slice no others are tried.
 */
export function insertRows(
  table: SnowflakeTable,
  source: Source,
  ranges: readonly StagedRange[],
  slice?: Slice
): Statement {
  return table.mode === 'Merge' ? mergeRows(table, source, ranges, slice) : appendRows(table, source, slice)
}

function appendRows(table: SnowflakeTable, source: Source, slice: Slice | undefined): Statement {
  const columns = ownColumns(table)
  return {
    text: [
      `INSERT INTO ${table.objects.tableRef} (${columns.map(({ ref }) => ref).join(', ')})`,
      `SELECT\n  ${columns.map(column => valueOf(table, column, slice)).join(',\n  ')}`,
      `FROM ${source.text} AS B`,
      ...accepted(table, slice)
    ].join('\n'),
    binds: source.binds
  }
}

/**
 * Only rows whose INGESTION_ID is not there: another writer's rows, or those of a restored table, are not written twice. That a
 * row of this id has this topic, partition and offset lets Snowflake skip the micro-partitions that hold none of them
 * (user-guide/tables-clustering-micropartitions, "Query pruning").
 */
function mergeRows(
  table: SnowflakeTable,
  source: Source,
  ranges: readonly StagedRange[],
  slice: Slice | undefined
): Statement {
  const columns = ownColumns(table)
  const id = metadataColumn(table, 'IngestionId')
  invariant(id.field.isStagedOnly !== true, 'mode Merge has the ingestion id in its table')
  const bounds = pruning(table, ranges)
  const text = [
    `MERGE INTO ${table.objects.tableRef} AS T`,
    `USING (\n  SELECT\n    ${columns.map(column => `${valueOf(table, column, slice)} AS ${column.ref}`).join(',\n    ')}`,
    `  FROM ${source.text} AS B`,
    ...accepted(table, slice).map(line => `  ${line}`),
    ') AS S',
    `ON T.${id.ref} = S.${id.ref}`,
    ...bounds.map(bound => `  AND ${bound.text}`),
    `WHEN NOT MATCHED THEN INSERT (${columns.map(({ ref }) => ref).join(', ')})`,
    `VALUES (${columns.map(({ ref }) => `S.${ref}`).join(', ')})`
  ].join('\n')
  return { text, binds: [...source.binds, ...bounds.flatMap(bound => bound.binds)] }
}

function accepted(table: SnowflakeTable, slice: Slice | undefined): readonly string[] {
  const reason = reasonExpression(hardRefusals(table))
  const conditions = [
    ...(slice === undefined ? [] : [within(table, slice)]),
    ...(reason === undefined ? [] : [`${reason} IS NULL`])
  ]
  return conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]
}

/** What holds for every row that the batch could meet; only of columns that the table has. */
function pruning(
  { metadata }: SnowflakeTable,
  ranges: readonly StagedRange[]
): readonly { readonly text: string; readonly binds: readonly Bind[] }[] {
  const withRows = ranges.filter(({ records }) => records > 0)
  if (withRows.length === 0) return []
  const between = (column: Column | undefined, low: number, high: number) =>
    column === undefined || column.field.isStagedOnly === true
      ? []
      : [{ text: `T.${column.ref} BETWEEN ? AND ?`, binds: [low, high] }]
  const partitions = withRows.map(({ partition }) => partition)
  const first = withRows.map(({ expectedOffset }) => expectedOffset ?? 0)
  const last = withRows.map(({ nextOffset }) => nextOffset - 1)
  return [
    ...between(metadata.Partition, Math.min(...partitions), Math.max(...partitions)),
    ...between(metadata.Offset, Math.min(...first), Math.max(...last))
  ]
}

/** Of rows that are to be left out nothing is computed: Snowflake may do that before it leaves them out. */
function valueOf(table: SnowflakeTable, column: Column, slice: Slice | undefined): string {
  const value = acceptedValue(table, column)
  if (slice !== undefined) return `IFF(${within(table, slice)}, ${value}, NULL)`
  const { badRows = [] } = table
  return badRows.length === 0 ? value : `IFF(${badRows.map(row => isRow(table, row)).join(' OR ')}, NULL, ${value})`
}

function acceptedValue(table: SnowflakeTable, column: Column): string {
  const expression = guarded(table, column)
  const refusals = inlineRefusals(table)
  if (refusals.length === 0) return expression
  if (column.field.name === INLINE.error)
    return `COALESCE(${expression}, ${literal(`${REFUSED}: `)} || ${reasonExpression(refusals) ?? 'NULL'})`
  const ofValue = refusals.filter(refusal => refusal.column === table.metadata.Value)
  const [whole] = ofValue
  if (column.field.name !== INLINE.value || whole === undefined) return expression
  const condition = ofValue.map(refusal => `(${refusal.condition})`).join(' OR ')
  return `COALESCE(${expression}, IFF(${condition}, TO_BINARY(${staged(whole.column)}, 'UTF-8'), NULL))`
}

/** Never an error, also where Snowflake computes it for rows that it leaves out afterwards: NULL then. */
function guarded(table: SnowflakeTable, column: Column): string {
  const value = staged(column)
  const expression = writeExpression(value, column.field, column.type)
  const refusals = refusalsOf(table).filter(refusal => refusal.column === column)
  if (refusals.some(({ kind }) => kind === 'Time')) return `TRY_CAST(${value} AS ${column.type})`
  const tooLong = refusals.find(({ kind }) => kind === 'Length')
  return tooLong === undefined ? expression : `IFF(${tooLong.condition}, NULL, ${expression})`
}
