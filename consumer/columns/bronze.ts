import { deadLetterTable } from '../../crds/settle.ts'
import type { LiftedColumn, LiftedType, MetadataColumn, SettledPipeline, SettledTopic } from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import type { ColumnType, Field, TableSchema } from './schema.ts'

/** One table and all that is written to it. */
export interface TablePlan {
  readonly table: string
  /** The entries that share the table; they have the same format and columns. */
  readonly entries: readonly SettledTopic[]
  readonly schema: TableSchema
  /** With policy Table. */
  readonly deadLetterTable: string | undefined
  readonly deadLetterSchema: TableSchema
}

/** The tables of a pipeline, in the order in which its topics name them. */
export function planTables(pipeline: SettledPipeline): readonly TablePlan[] {
  return [...Map.groupBy(pipeline.topics, ({ table }) => table)].map(([table, entries]) => ({
    table,
    entries,
    schema: tableSchema(pipeline, entries),
    deadLetterTable: pipeline.deadLetters.policy === 'Table' ? deadLetterTable(pipeline, table) : undefined,
    deadLetterSchema: DEAD_LETTER_SCHEMA
  }))
}

/** Where policy Inline keeps what its row's own columns cannot hold. */
export const INLINE = {
  error: '_error',
  value: '_error_value',
  key: '_error_key',
  headers: '_error_headers'
} as const

const HEADERS: ColumnType = {
  list: {
    struct: [
      { name: 'key', type: 'string', nullable: false },
      { name: 'value', type: 'binary', nullable: true }
    ]
  },
  elementNullable: false
}

/** Dotted Parquet paths of a column of headers. */
export const headerPaths = (column: string) => ({
  key: `${column}.list.element.key`,
  value: `${column}.list.element.value`
})

/** One row per record that could not be a row of the table, or per batch whose records cannot be told apart. */
export const DEAD_LETTER_SCHEMA: TableSchema = {
  fields: [
    column('_kafka_topic', 'string'),
    column('_kafka_partition', 'int'),
    column('_kafka_offset', 'long', 'Offset of the record, or of the first record of a batch that cannot be read.'),
    column('_kafka_last_offset', 'long', 'The last offset the row stands for: above _kafka_offset for a batch.'),
    column('_kafka_timestamp', 'timestamp'),
    column('_kafka_key', 'binary'),
    column('_kafka_headers', HEADERS),
    { ...column('value', 'binary', 'The bytes as they came: the value, or a whole batch.'), unbounded: true },
    { ...column('_ingestion_id', 'string', 'topic-partition-offset'), unbounded: true },
    column('failed_at', 'timestamp'),
    column('reason', 'string', 'InvalidUtf8, InvalidJson, WrongType, MissingColumn, RecordTooLarge or CorruptBatch.'),
    column('stage', 'string', 'Decompress, Parse or Lift.'),
    { ...column('error', 'string'), unbounded: true },
    column('pipeline', 'string', 'namespace/name'),
    column('consumer_id', 'string')
  ],
  partitionBy: []
}

function tableSchema(pipeline: SettledPipeline, entries: readonly SettledTopic[]): TableSchema {
  const [first] = entries
  invariant(first !== undefined, 'a table has an entry')
  const lifted = new Map<string, LiftedColumn>()
  for (const entry of entries) for (const each of entry.columns) lifted.set(each.name, each)
  const { metadataColumns } = first
  return {
    fields: [
      ...metadataColumns.map(metadataField),
      ...[...lifted.values()].map(each => column(each.name, liftedType(each))),
      ...(pipeline.deadLetters.policy === 'Inline' ? inlineFields(metadataColumns) : [])
    ],
    partitionBy: pipeline.sink.kind === 'delta' ? partitionNames(pipeline.sink.delta.partitionBy, metadataColumns) : []
  }
}

/** All columns may be null: tables of other makers and columns that are omitted later stay possible. */
function column(name: string, type: ColumnType, comment?: string): Field {
  return { name, type, nullable: true, ...(comment === undefined ? {} : { comment }) }
}

function metadataField({ source, name, type }: MetadataColumn): Field {
  const field = column(name, METADATA[type])
  // Whole messages and identifiers prune nothing: the offset does.
  return source === 'Value' || source === 'IngestionId' ? { ...field, unbounded: true } : field
}

/** Key, value and headers have a column for what is bad in them, unless their own takes any bytes. */
function inlineFields(metadataColumns: readonly MetadataColumn[]): readonly Field[] {
  const holds = (source: MetadataColumn['source']) =>
    metadataColumns.some(column => column.source === source && (source === 'Headers' || column.type === 'Binary'))
  return [
    column(INLINE.error, 'string', 'Why the record is not as the table asks (reason: details); null for good ones.'),
    ...(holds('Value') ? [] : [{ ...column(INLINE.value, 'binary'), unbounded: true as const }]),
    ...(holds('Key') ? [] : [column(INLINE.key, 'binary')]),
    ...(holds('Headers') ? [] : [column(INLINE.headers, HEADERS)])
  ]
}

function partitionNames(by: 'None' | 'Date' | 'Hour', columns: readonly MetadataColumn[]): readonly string[] {
  const sources = by === 'None' ? [] : by === 'Date' ? ['IngestionDate'] : ['IngestionDate', 'IngestionHour']
  return sources.map(source => {
    const found = columns.find(column => column.source === source)
    invariant(found !== undefined, `a table partitioned by ${by} has the column ${source}`)
    return found.name
  })
}

const METADATA: Readonly<Record<MetadataColumn['type'], ColumnType>> = {
  String: 'string',
  Binary: 'binary',
  Int: 'int',
  Long: 'long',
  Timestamp: 'timestamp',
  Date: 'date',
  Headers: HEADERS
}

function liftedType({ type, precision = 38, scale = 0 }: LiftedColumn): ColumnType {
  return type === 'Decimal' ? { decimal: { precision, scale } } : LIFTED[type]
}

const LIFTED: Readonly<Record<Exclude<LiftedType, 'Decimal'>, ColumnType>> = {
  String: 'string',
  Int: 'int',
  Long: 'long',
  Float: 'float',
  Double: 'double',
  Boolean: 'boolean',
  Timestamp: 'timestamp',
  Date: 'date'
}
