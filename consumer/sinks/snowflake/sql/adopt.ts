import { FatalError } from '../../../../lib/errors.ts'
import { isNested, type Field } from '../../../columns/schema.ts'
import { newColumn, type Column, type ColumnLimits } from './column.ts'
import { DEAD_LETTER_TABLE } from './dead-letters.ts'
import { describeColumn, type FoundColumn, type FoundObjects } from './look.ts'
import { ownColumns, type SnowflakeTable } from './table.ts'

/**
 * The table as it is there, whoever made it: its columns may be shorter than ours would be, or forbid nulls; what does not fit is
 * refused row by row then. Columns that are missing will be added (`init.ts`). FatalError `IncompatibleTable` when it can never take
 * what we write; `TableDropped` and `RolledBack` when it is not the table whose offsets the ledger has.
 */
export function adopted(table: SnowflakeTable, found: FoundObjects): SnowflakeTable {
  checkLedger(table, found)
  if (found.deadLetters !== undefined) checkDeadLetters(table, found.deadLetters)
  if (found.table === undefined) return table
  const { objects } = table
  const name = `${objects.schema}.${objects.table}`
  const theirs = new Map(found.table.map(column => [column.name, column]))
  const columns = table.columns.map(column => {
    const known = column.field.isStagedOnly === true ? undefined : theirs.get(column.name)
    return known === undefined ? column : limited(column, known, name)
  })
  const written = new Set(ownColumns(table).map(column => column.name))
  for (const { name: other, isNullable, hasDefault } of found.table) {
    if (!isNullable && !hasDefault && !written.has(other))
      throw incompatible(name, `requires column ${other}, which the pipeline does not write`)
  }
  const byName = new Map(columns.map(column => [column.name, column]))
  const same = (column: Column) => byName.get(column.name) ?? column
  const metadata = Object.fromEntries(Object.entries(table.metadata).map(([source, column]) => [source, same(column)]))
  return { ...table, columns, metadata, clusterBy: table.clusterBy.map(same) }
}

/**
 * The ledger stands beside the table: what is done to the table alone, it does not see. A table is always made before its ledger,
 * and is made anew by CREATE OR REPLACE, which is also how it is restored (CLONE … AT).
 */
function checkLedger({ objects }: SnowflakeTable, found: FoundObjects): void {
  const { tableRef, ledgerRef } = objects
  const anew = `to begin anew, DROP TABLE ${ledgerRef}`
  if (found.ledger !== undefined && found.table === undefined) {
    throw new FatalError(
      'TableDropped',
      `${tableRef} was dropped, and ${ledgerRef} still has its offsets. UNDROP the table; or, ${anew}.`
    )
  }
  if (found.tableKind !== undefined && /VIEW|EXTERNAL|EVENT/.test(found.tableKind)) {
    throw new FatalError(
      'IncompatibleTable',
      `${tableRef} is a ${found.tableKind}, not a table. Name another one in spec.topics[].table.`
    )
  }
  const { tableCreatedMs, ledgerCreatedMs } = found
  if (tableCreatedMs === undefined || ledgerCreatedMs === undefined || tableCreatedMs <= ledgerCreatedMs) return
  throw new FatalError(
    'RolledBack',
    `${tableRef} was replaced or restored after ${ledgerRef} was made: rows before the offsets there may be missing. If none are, say so ` +
      `by CREATE OR REPLACE TABLE ${ledgerRef} CLONE ${ledgerRef} COPY GRANTS; ${anew}.`
  )
}

function limited(column: Column, known: FoundColumn, table: string): Column {
  if (!accepts(known, column.field)) {
    throw incompatible(
      table,
      `has column ${column.name} as ${describeColumn(known)} where the pipeline writes ${column.type}`
    )
  }
  const hasLength = (known.type === 'TEXT' || known.type === 'BINARY') && known.length !== undefined
  const limits: ColumnLimits = {
    ...(hasLength ? { maxLength: known.length } : {}),
    ...(known.isNullable ? {} : { isNotNull: true })
  }
  // A cast goes to the type that the column has: an instant stays the same in one with a time zone.
  return { ...column, type: known.type.startsWith('TIMESTAMP') ? known.type : column.type, limits }
}

function checkDeadLetters({ objects }: SnowflakeTable, found: readonly FoundColumn[]): void {
  const name = `${objects.schema}.${objects.deadLetterTable}`
  const theirs = new Map(found.map(column => [column.name, column]))
  for (const { name: wanted, type } of DEAD_LETTER_TABLE) {
    const known = theirs.get(wanted)
    theirs.delete(wanted)
    if (known === undefined) continue
    if ((known.type === 'TEXT' ? 'VARCHAR' : known.type) !== type)
      throw incompatible(name, `has column ${wanted} as ${describeColumn(known)} where the pipeline writes ${type}`)
    if (wanted === 'RAW_PAYLOAD' && !known.isNullable)
      throw incompatible(name, `forbids nulls in column ${wanted}, which is null for a record without a value`)
    if (wanted === 'ERROR_MESSAGE' && known.length !== undefined && known.length < MIN_MESSAGE)
      throw incompatible(name, `has column ${wanted} with ${known.length} characters; ${MIN_MESSAGE} are needed`)
  }
  for (const { name: other, isNullable, hasDefault } of theirs.values()) {
    if (!isNullable && !hasDefault)
      throw incompatible(name, `requires column ${other}, which the pipeline does not write`)
  }
}

/** Messages name places and kinds and never repeat content, so all are shorter. */
const MIN_MESSAGE = 4_096

/** Whether the column takes every value of ours, short enough and not null, as it is. */
function accepts({ type, precision = 38, scale = 0, fraction = 9 }: FoundColumn, field: Field): boolean {
  const ours = field.type
  if (field.isJson === true || isNested(ours)) return type === 'VARIANT'
  switch (ours) {
    case 'string':
    case 'uuid':
      return type === 'TEXT'
    case 'binary':
      return type === 'BINARY'
    case 'int':
      return type === 'NUMBER' && precision - scale >= INT_DIGITS
    case 'long':
      return type === 'NUMBER' && precision - scale >= LONG_DIGITS
    case 'float':
    case 'double':
      return type === 'FLOAT'
    case 'boolean':
      return type === 'BOOLEAN'
    case 'timestamp':
      return /^TIMESTAMP_(?:NTZ|LTZ|TZ)$/.test(type) && fraction >= MICROSECONDS
    case 'timestampNtz':
      return type === 'TIMESTAMP_NTZ' && fraction >= MICROSECONDS
    case 'time':
      return type === 'TIME' && fraction >= MICROSECONDS
    case 'date':
      return type === 'DATE'
    default:
      if ('fixed' in ours) return type === 'BINARY'
      return (
        type === 'NUMBER' &&
        scale >= ours.decimal.scale &&
        precision - scale >= ours.decimal.precision - ours.decimal.scale
      )
  }
}

const INT_DIGITS = 10
const LONG_DIGITS = 19
const MICROSECONDS = 6

const incompatible = (table: string, what: string) =>
  new FatalError(
    'IncompatibleTable',
    `Snowflake table ${table} ${what}. Rename the column in the pipeline (columns, metadataColumns), or name another table in spec.topics[].table.`
  )

/** The columns of ours that the table there lacks. */
export function missingColumns(table: SnowflakeTable, found: readonly FoundColumn[]): readonly Column[] {
  const names = new Set(found.map(({ name }) => name))
  return ownColumns(table)
    .filter(({ name }) => !names.has(name))
    .map(({ field }) => newColumn(field))
}
