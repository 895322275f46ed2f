import type { Column } from './column.ts'
import { literal } from './identifier.ts'
import type { Bind, Row, Statement } from '../session/session.ts'
import { plainName } from './stage.ts'
import { DEAD_LETTER_COLUMNS, type SnowflakeTable } from './table.ts'
import { readExpression, stagedTypeName } from './types.ts'

/** Rows, or dead letters that we decided. */
export type Kind = 'rows' | 'deadLetters'

/** A relation with the staged columns: what statements select from, as `B`. */
export interface Source {
  readonly text: string
  readonly binds: readonly Bind[]
}

/**
 * Small batches: the lines themselves are bound, as one JSON array. A statement with its binds should stay within 1 MB
 * (user-guide/query-size-limits).
 */
export function inlineSource(table: SnowflakeTable, kind: Kind, lines: readonly string[]): Source {
  const columns = stagedColumns(table, kind).map(column => `${readExpression('F.VALUE', column)} AS ${column.ref}`)
  const documents = lines.flatMap(text => text.split('\n')).filter(line => line !== '')
  return {
    text: `(\n  SELECT\n    ${columns.join(',\n    ')}\n  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F\n)`,
    binds: [`[${documents.join(',')}]`]
  }
}

/** Larger ones: a temporary table of this session that `copyBatch` filled. */
export const batchSource = (table: SnowflakeTable, kind: Kind): Source => ({ text: batchRef(table, kind), binds: [] })

/** DDL, which would commit a transaction: it goes before BEGIN. Empty, and without a memory of files that COPY loaded before. */
export function createBatch(table: SnowflakeTable, kind: Kind): Statement {
  const columns = stagedColumns(table, kind).map(column => `${column.ref} ${stagedTypeName(column)}`)
  return {
    text: `CREATE OR REPLACE TEMPORARY TABLE ${batchRef(table, kind)} (\n  ${columns.join(',\n  ')}\n)`,
    binds: []
  }
}

/**
 * Loads files of the stage, each by its name. COPY leaves out in silence a file that is not there or that it has loaded before:
 * what it says it loaded (`copiedRows`) must be all that was staged. PURGE would remove files before the commit.
 */
export function copyBatch(table: SnowflakeTable, kind: Kind, files: readonly string[]): Statement {
  const columns = stagedColumns(table, kind)
  const selected = columns.map(column => readExpression('$1', column))
  return {
    text: [
      `COPY INTO ${batchRef(table, kind)} (${columns.map(({ ref }) => ref).join(', ')})`,
      `FROM (\n  SELECT\n    ${selected.join(',\n    ')}\n  FROM ${literal(table.objects.stageRef)}\n)`,
      `FILES = (${files.map(name => literal(plainName(name))).join(', ')})`,
      'FILE_FORMAT = (TYPE = JSON COMPRESSION = ZSTD)',
      'ON_ERROR = ABORT_STATEMENT'
    ].join('\n'),
    binds: []
  }
}

/** The rows that a COPY loaded; its result has a row per file, or one that says that there was none. */
export const copiedRows = (rows: readonly Row[]): number =>
  rows.reduce((sum, row) => sum + Number(row['rows_loaded'] ?? row['ROWS_LOADED'] ?? 0), 0)

/** The columns in the order in which they are staged. */
export const stagedColumns = (table: SnowflakeTable, kind: Kind): readonly Column[] =>
  kind === 'rows' ? table.columns : DEAD_LETTER_COLUMNS

/** A batch's column, in a statement that selects from a source as `B`. */
export const staged = ({ ref }: Column): string => `B.${ref}`

const batchRef = ({ objects }: SnowflakeTable, kind: Kind): string =>
  kind === 'rows' ? objects.batchRef : objects.deadLetterBatchRef
