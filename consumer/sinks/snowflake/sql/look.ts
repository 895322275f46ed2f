import { MAX_PRECISION } from '../../../columns/decimal.ts'
import type { ColumnType } from '../../../columns/schema.ts'
import type { TableColumn } from '../../../sink.ts'
import { literal, quoted } from './identifier.ts'
import type { TableObjects } from './objects.ts'
import type { Row, Statement } from '../session/session.ts'

/** A column as INFORMATION_SCHEMA.COLUMNS tells it. */
export interface FoundColumn {
  readonly name: string
  /** Without its length: `NUMBER`, `TEXT`, `TIMESTAMP_NTZ`. */
  readonly type: string
  /** Characters of text, bytes of BINARY. */
  readonly length: number | undefined
  readonly precision: number | undefined
  readonly scale: number | undefined
  /** Digits of a second's fraction. */
  readonly fraction: number | undefined
  readonly isNullable: boolean
  readonly hasDefault: boolean
}

/** What is there of a table's objects, as far as our role may see it; undefined for what is not. */
export interface FoundObjects {
  readonly hasSchema: boolean
  /** When the table and its ledger were made, ms since the epoch; undefined when they are not there. */
  readonly tableCreatedMs?: number | undefined
  readonly ledgerCreatedMs?: number | undefined
  /** As INFORMATION_SCHEMA.TABLES says it: `BASE TABLE`, `VIEW` and others. */
  readonly tableKind?: string | undefined
  readonly table: readonly FoundColumn[] | undefined
  readonly deadLetters: readonly FoundColumn[] | undefined
  readonly ledger: readonly FoundColumn[] | undefined
  readonly commits: readonly FoundColumn[] | undefined
  readonly hasStage: boolean
  /** The table and its ledger: what a pipeline needs to go on. */
  readonly hasTable: boolean
}

export const lookForSchema = ({ database, schema }: TableObjects): Statement => ({
  text: `SELECT SCHEMA_NAME FROM ${quoted(database)}.INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME = ?`,
  binds: [schema]
})

/** Columns of all the tables at once, in order, and of what kind of table (sql-reference/info-schema/columns and /tables). */
export function lookForColumns({ database, schema, ...names }: TableObjects): Statement {
  const { table, deadLetterTable, ledger, commits } = names
  const tables = [table, ledger, commits, ...(deadLetterTable === undefined ? [] : [deadLetterTable])]
  const views = `${quoted(database)}.INFORMATION_SCHEMA`
  return {
    text: [
      'SELECT C.TABLE_NAME, C.COLUMN_NAME, C.DATA_TYPE, C.CHARACTER_MAXIMUM_LENGTH, C.CHARACTER_OCTET_LENGTH,',
      '  C.NUMERIC_PRECISION, C.NUMERIC_SCALE, C.DATETIME_PRECISION, C.IS_NULLABLE, C.COLUMN_DEFAULT,',
      '  T.TABLE_TYPE, DATE_PART(EPOCH_MILLISECOND, T.CREATED::TIMESTAMP_LTZ) AS CREATED_MS',
      `FROM ${views}.COLUMNS AS C`,
      `JOIN ${views}.TABLES AS T ON T.TABLE_SCHEMA = C.TABLE_SCHEMA AND T.TABLE_NAME = C.TABLE_NAME`,
      `WHERE C.TABLE_SCHEMA = ? AND C.TABLE_NAME IN (${tables.map(() => '?').join(', ')})`,
      'ORDER BY C.TABLE_NAME, C.ORDINAL_POSITION'
    ].join('\n'),
    binds: [schema, ...tables]
  }
}

/** In a pattern `_` stands for any character, itself included: others may be found beside it. */
export const lookForStage = ({ stage, schemaRef }: TableObjects): Statement => ({
  text: `SHOW STAGES LIKE ${literal(stage)} IN SCHEMA ${schemaRef}`,
  binds: []
})

/** What the three statements found. */
export function foundObjects(
  objects: TableObjects,
  rows: { readonly schema: readonly Row[]; readonly columns: readonly Row[]; readonly stage: readonly Row[] }
): FoundObjects {
  const tables = Map.groupBy(rows.columns, row => row['TABLE_NAME'] ?? '')
  const columnsOf = (name: string | undefined) => (name === undefined ? undefined : tables.get(name)?.map(foundColumn))
  const createdMs = (name: string) => number(tables.get(name)?.[0] ?? {}, 'CREATED_MS')
  return {
    hasSchema: rows.schema.length > 0,
    tableCreatedMs: createdMs(objects.table),
    ledgerCreatedMs: createdMs(objects.ledger),
    tableKind: tables.get(objects.table)?.[0]?.['TABLE_TYPE'] ?? undefined,
    table: columnsOf(objects.table),
    deadLetters: columnsOf(objects.deadLetterTable),
    ledger: columnsOf(objects.ledger),
    commits: columnsOf(objects.commits),
    hasTable: tables.has(objects.table) && tables.has(objects.ledger),
    hasStage: rows.stage.some(row => row['name'] === objects.stage)
  }
}

/** The columns of the table as we would write them; those whose names have small letters are out of our reach. */
export const tableColumns = ({ table = [] }: FoundObjects): readonly TableColumn[] =>
  table
    .filter(({ name }) => name === name.toUpperCase())
    .map(column => ({
      name: column.name,
      type: columnType(column),
      nullable: column.isNullable,
      ...(column.type === 'VARIANT' ? { isJson: true } : {}),
      ...(column.type === 'NUMBER' && column.precision === MAX_PRECISION && column.scale === 0 ? { isWhole: true } : {})
    }))

/** A column's type as a CREATE TABLE says it. */
export function describeColumn({ type, length, precision, scale }: FoundColumn): string {
  if (type === 'NUMBER') return `NUMBER(${precision},${scale})`
  const name = type === 'TEXT' ? 'VARCHAR' : type
  return length === undefined ? name : `${name}(${length})`
}

function foundColumn(row: Row): FoundColumn {
  const type = row['DATA_TYPE'] ?? ''
  return {
    name: row['COLUMN_NAME'] ?? '',
    type,
    length: number(row, type === 'BINARY' ? 'CHARACTER_OCTET_LENGTH' : 'CHARACTER_MAXIMUM_LENGTH'),
    precision: number(row, 'NUMERIC_PRECISION'),
    scale: number(row, 'NUMERIC_SCALE'),
    fraction: number(row, 'DATETIME_PRECISION'),
    isNullable: row['IS_NULLABLE'] !== 'NO',
    hasDefault: (row['COLUMN_DEFAULT'] ?? null) !== null
  }
}

function number(row: Row, name: string): number | undefined {
  const value = row[name]
  return value === null || value === undefined || value === '' ? undefined : Number(value)
}

/** Undefined when we would not write the type. */
function columnType({ type, precision = 38, scale = 0 }: FoundColumn): ColumnType | undefined {
  if (type === 'NUMBER') return scale === 0 && precision >= 19 ? 'long' : { decimal: { precision, scale } }
  return TYPES[type]
}

const TYPES: Readonly<Partial<Record<string, ColumnType>>> = {
  TEXT: 'string',
  BINARY: 'binary',
  FLOAT: 'double',
  BOOLEAN: 'boolean',
  TIMESTAMP_NTZ: 'timestamp',
  TIMESTAMP_LTZ: 'timestamp',
  TIMESTAMP_TZ: 'timestamp',
  DATE: 'date',
  TIME: 'time',
  VARIANT: 'string'
}
