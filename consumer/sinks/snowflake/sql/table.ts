import type { MetadataSource, SettledDeadLetters, SettledPipeline, SnowflakeSink } from '../../../../crds/settled.ts'
import { FatalError, invariant } from '../../../../lib/errors.ts'
import { DEAD_LETTER_SCHEMA, type TablePlan } from '../../../columns/bronze.ts'
import type { Field } from '../../../columns/schema.ts'
import { newColumn, type Column } from './column.ts'
import { fold } from './identifier.ts'
import { tableObjects, type TableObjects } from './objects.ts'

/** One bronze table, as the statements that write it need to know it. */
export interface SnowflakeTable {
  readonly objects: TableObjects
  /** What is staged of a row, in this order; all but the staged-only ones are columns of the table. */
  readonly columns: readonly Column[]
  /** Columns that hold what Kafka tells of a record, staged-only ones too. */
  readonly metadata: Partial<Readonly<Record<MetadataSource, Column>>>
  readonly policy: SettledDeadLetters['policy']
  readonly mode: SnowflakeSink['mode']
  /** Columns of the table. */
  readonly clusterBy: readonly Column[]
  /** No text or bytes of a row are longer. */
  readonly maxValueBytes: number
  /** Of the commit at hand: they are refused, whatever the expressions say. */
  readonly badRows?: readonly BadRow[]
}

/** A row that makes a statement fail, and what Snowflake says of it, without values. */
export interface BadRow {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly message: string
}

/** The table as we would make it. FatalError when its names or types are not Snowflake's. */
export function snowflakeTable(
  plan: TablePlan,
  pipeline: Pick<SettledPipeline, 'deadLetters'>,
  sink: Pick<SnowflakeSink, 'database' | 'schema' | 'mode' | 'clusterBy'>
): SnowflakeTable {
  const { policy } = pipeline.deadLetters
  const objects = tableObjects(sink, plan.table, plan.deadLetterTable)
  const columns = plan.schema.fields.map(newColumn)
  const byName = new Map(columns.map(column => [column.name, column]))
  if (byName.size < columns.length)
    throw new FatalError(
      'InvalidColumnName',
      `Table ${plan.table} would have two columns of one name; case does not count.`
    )
  const metadata: Partial<Record<MetadataSource, Column>> = {}
  for (const { source, name } of plan.entries[0]?.metadataColumns ?? []) {
    const column = byName.get(fold(name, 'Column'))
    if (column !== undefined) metadata[source] = column
  }
  const clusterBy = sink.clusterBy.map(name => {
    const column = byName.get(fold(name, 'sink.snowflake.clusterBy'))
    if (column !== undefined && column.field.isStagedOnly !== true) return column
    throw new FatalError(
      'InvalidClusterKey',
      `Table ${plan.table} has no column ${name}; name one of its columns in sink.snowflake.clusterBy.`
    )
  })
  const maxValueBytes = Math.max(...plan.entries.map(({ maxRecordBytes }) => maxRecordBytes))
  return { objects, columns, metadata, policy, mode: sink.mode, clusterBy, maxValueBytes }
}

/** The columns that the table itself has. */
export const ownColumns = ({ columns }: SnowflakeTable): readonly Column[] =>
  columns.filter(({ field }) => field.isStagedOnly !== true)

/** Where statements find what Kafka tells of a record. */
export function metadataColumn({ metadata }: SnowflakeTable, source: MetadataSource): Column {
  const column = metadata[source]
  invariant(column !== undefined, `${source} is staged for Snowflake`)
  return column
}

/** Fields of dead letters whose bytes are staged as text where they are that (`NdjsonOptions.isMaybeText`). */
export const isMaybeText = ({ type }: Field): boolean => type === 'binary'

/** What is staged of a dead letter. */
export const DEAD_LETTER_COLUMNS: readonly Column[] = DEAD_LETTER_SCHEMA.fields.map(field =>
  isMaybeText(field) ? { ...newColumn(field), staged: 'VARIANT' } : newColumn(field)
)
