import type { SnowflakeSink } from '../../../../crds/settled.ts'
import { FatalError, invariant } from '../../../../lib/errors.ts'
import { fold, quoted } from './identifier.ts'

/** The objects of one bronze table. Names are folded; `…Ref` is what a statement calls them. */
export interface TableObjects {
  readonly database: string
  readonly schema: string
  readonly table: string
  readonly deadLetterTable: string | undefined
  readonly ledger: string
  readonly commits: string
  readonly stage: string
  readonly schemaRef: string
  readonly tableRef: string
  readonly deadLetterRef: string | undefined
  readonly ledgerRef: string
  readonly commitsRef: string
  /** `@"DB"."SCHEMA"."STAGE"` */
  readonly stageRef: string
  /** Temporary tables: each session has its own. */
  readonly batchRef: string
  readonly deadLetterBatchRef: string
}

/** Names beside a table's own; also what tells people whose objects these are. */
const LEDGER = '_BRONZE_OFFSETS'
const COMMITS = '_BRONZE_COMMITS'
const STAGE = '_BRONZE_STAGE'
const BATCH = '_BRONZE_BATCH'
const DEAD_LETTER_BATCH = '_BRONZE_BATCH_DLQ'
const MAX_NAME = 255

/** `table` is `TABLE`, or `SCHEMA.TABLE`; so is the dead-letter table. FatalError `InvalidName`. */
export function tableObjects(
  { database, schema }: Pick<SnowflakeSink, 'database' | 'schema'>,
  table: string,
  deadLetterTable: string | undefined
): TableObjects {
  const folded = fold(database, 'sink.snowflake.database')
  const [inSchema, name] = tableName(table, schema)
  const ref = (suffix: string) => quoted(folded, inSchema, named(name, suffix))
  const letters = deadLetterTable === undefined ? undefined : tableName(deadLetterTable, schema)
  return {
    database: folded,
    schema: inSchema,
    table: name,
    deadLetterTable: letters?.[1],
    ledger: named(name, LEDGER),
    commits: named(name, COMMITS),
    stage: named(name, STAGE),
    schemaRef: quoted(folded, inSchema),
    tableRef: ref(''),
    deadLetterRef: letters && quoted(folded, ...letters),
    ledgerRef: ref(LEDGER),
    commitsRef: ref(COMMITS),
    stageRef: `@${ref(STAGE)}`,
    batchRef: ref(BATCH),
    deadLetterBatchRef: ref(DEAD_LETTER_BATCH)
  }
}

function tableName(table: string, defaultSchema: string): readonly [schema: string, table: string] {
  const [first, second, ...more] = table.split('.')
  invariant(first !== undefined, 'a table has a name')
  if (more.length > 0)
    throw new FatalError('InvalidName', `Table ${JSON.stringify(table)} has more names than SCHEMA.TABLE.`)
  return second === undefined
    ? [fold(defaultSchema, 'sink.snowflake.schema'), fold(first, 'Table')]
    : [fold(first, 'Schema of a table'), fold(second, 'Table')]
}

function named(table: string, suffix: string): string {
  const name = `${table}${suffix}`
  if (name.length > MAX_NAME)
    throw new FatalError(
      'InvalidName',
      `The name of table ${table} is too long: ${name} would have more than 255 characters.`
    )
  return name
}
