import type { SnowflakeSink } from '../../../../crds/settled.ts'
import { missingColumns } from './adopt.ts'
import { COMMITS_COLUMNS } from './commits.ts'
import { DEAD_LETTER_TABLE } from './dead-letters.ts'
import { literal, quoted } from './identifier.ts'
import { addSentinel, LEDGER_COLUMNS } from './ledger-table.ts'
import type { FoundColumn, FoundObjects } from './look.ts'
import type { Statement } from '../session/session.ts'
import { ownColumns, type SnowflakeTable } from './table.ts'

interface ColumnDefinition {
  readonly name: string
  readonly type: string
  readonly comment?: string | undefined
}

/**
 * What makes the table's objects, in order; with `found`, only what is not there. All of it is DDL, which commits by itself, and
 * may be run again. A new ledger wants its sentinel besides (`ledger-table.ts`).
 */
export function initStatements(table: SnowflakeTable, found?: FoundObjects): readonly Statement[] {
  const { objects } = table
  const { deadLetterRef, ledgerRef, commitsRef, schemaRef } = objects
  const statements: string[] = []
  if (found?.hasSchema !== true) statements.push(`CREATE SCHEMA IF NOT EXISTS ${schemaRef}`)
  statements.push(...tableStatements(table, found?.table))
  if (deadLetterRef !== undefined)
    statements.push(
      ...created(deadLetterRef, DEAD_LETTER_TABLE, found?.deadLetters, `Dead letters of ${objects.table}.`)
    )
  statements.push(
    ...created(
      ledgerRef,
      LEDGER_COLUMNS,
      found?.ledger,
      `Offsets that ${objects.table} holds; Bronze Operator decides by them.`
    ),
    ...created(
      commitsRef,
      COMMITS_COLUMNS,
      found?.commits,
      `What went into ${objects.table}, by commit; kept for 30 days.`
    )
  )
  if (found?.hasStage !== true)
    statements.push(
      `CREATE STAGE IF NOT EXISTS ${objects.stageRef.slice(1)}\n  COMMENT = ${literal(`Files on their way into ${objects.table}.`)}`
    )
  return statements.map(text => ({ text, binds: [] }))
}

function tableStatements(table: SnowflakeTable, found: readonly FoundColumn[] | undefined): readonly string[] {
  const { tableRef } = table.objects
  if (found !== undefined) return added(tableRef, missingColumns(table, found).map(definition))
  const cluster = table.clusterBy.map(({ ref }) => ref)
  const comment = 'Bronze table, written by Bronze Operator.'
  return [createTable(tableRef, ownColumns(table).map(definition), comment, cluster)]
}

function created(
  ref: string,
  columns: readonly ColumnDefinition[],
  found: readonly FoundColumn[] | undefined,
  comment: string
): readonly string[] {
  if (found === undefined) return [createTable(ref, columns, comment)]
  const names = new Set(found.map(({ name }) => name))
  return added(
    ref,
    columns.filter(({ name }) => !names.has(name))
  )
}

function createTable(
  ref: string,
  columns: readonly ColumnDefinition[],
  comment: string,
  clusterBy: readonly string[] = []
): string {
  return [
    `CREATE TABLE IF NOT EXISTS ${ref} (`,
    columns.map(column => `  ${columnText(column)}`).join(',\n'),
    ')',
    ...(clusterBy.length === 0 ? [] : [`  CLUSTER BY (${clusterBy.join(', ')})`]),
    `  COMMENT = ${literal(comment)}`
  ].join('\n')
}

/** Rows that are there have no value of a new column, so none forbids nulls. */
const added = (ref: string, columns: readonly ColumnDefinition[]): readonly string[] =>
  columns.map(column => {
    const type = column.type.replace(' NOT NULL', '')
    return `ALTER TABLE ${ref} ADD COLUMN IF NOT EXISTS ${columnText({ ...column, type })}`
  })

const columnText = ({ name, type, comment }: ColumnDefinition): string =>
  `${quoted(name)} ${type}${comment === undefined ? '' : ` COMMENT ${literal(comment)}`}`

const definition = ({ name, type, field }: ReturnType<typeof ownColumns>[number]): ColumnDefinition => ({
  name,
  type,
  comment: field.comment
})

/**
 * All of it as a script for people, with the least that a role needs to write the table afterwards (user-guide/security-access-
 * control-privileges). Temporary tables need no privilege to create tables.
 */
export function initScript(
  table: SnowflakeTable,
  { role, warehouse }: Pick<SnowflakeSink, 'role' | 'warehouse'>
): string {
  const statements = [...initStatements(table), addSentinel(table.objects)].map(({ text }) => `${text};`)
  return [...statements, ...grants(table, role, warehouse)].join('\n\n') + '\n'
}

function grants(table: SnowflakeTable, role: string | undefined, warehouse: string | undefined): readonly string[] {
  const { database, schemaRef, tableRef, deadLetterRef, ledgerRef, commitsRef, stageRef } = table.objects
  const to = role === undefined ? '<role>' : quoted(role.toUpperCase())
  const lines = [
    `USAGE ON DATABASE ${quoted(database)}`,
    `USAGE ON SCHEMA ${schemaRef}`,
    `USAGE ON WAREHOUSE ${warehouse === undefined ? '<warehouse>' : quoted(warehouse.toUpperCase())}`,
    `SELECT, INSERT ON TABLE ${tableRef}`,
    // Mode Streaming takes back dead letters of a commit that never was.
    ...(deadLetterRef === undefined
      ? []
      : [`INSERT, SELECT${table.mode === 'Streaming' ? ', DELETE' : ''} ON TABLE ${deadLetterRef}`]),
    `SELECT, INSERT, UPDATE ON TABLE ${ledgerRef}`,
    `SELECT, INSERT, DELETE ON TABLE ${commitsRef}`,
    `READ, WRITE ON STAGE ${stageRef.slice(1)}`
  ]
  return [
    [
      '-- What the writing role needs once the objects are there:',
      ...lines.map(line => `-- GRANT ${line} TO ROLE ${to};`)
    ].join('\n')
  ]
}
