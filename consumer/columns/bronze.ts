import { deadLetterTable } from '../../crds/settle.ts'
import type {
  LiftedColumn,
  LiftedType,
  MetadataColumn,
  SettledPipeline,
  SettledSink,
  SettledTopic
} from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import { hivePartitions, partitionFields, pathFields, sortColumns } from './partitioning.ts'
import type { ColumnType, Field, TableSchema } from './schema.ts'

/** One table and all that is written to it. */
export interface TablePlan {
  readonly table: string
  /** The entries that share the table; they have the same format and columns. */
  readonly entries: readonly SettledTopic[]
  /** The pipeline's own columns; with `growth`, those of values come beside them. */
  readonly schema: TableSchema
  /** When fields of values become columns. */
  readonly growth: Growth | undefined
  /** With policy Table. */
  readonly deadLetterTable: string | undefined
  readonly deadLetterSchema: TableSchema
}

export interface Growth {
  /** Whether the sink may make a column wider. */
  readonly canWiden: boolean
  /** Case does not count in the sink's own names: columns for fields are written in small letters here, and so told when recovered. */
  readonly foldsNames?: boolean
}

/** The tables of a pipeline, in the order in which its topics name them. */
export function planTables(pipeline: SettledPipeline): readonly TablePlan[] {
  return [...Map.groupBy(pipeline.topics, ({ table }) => table)].map(([table, entries]) => ({
    table,
    entries,
    schema: tableSchema(pipeline, entries),
    growth: entries.some(growsColumns) ? growthIn(pipeline.sink.kind) : undefined,
    deadLetterTable: pipeline.deadLetters.policy === 'Table' ? deadLetterTable(pipeline, table) : undefined,
    deadLetterSchema: DEAD_LETTER_SCHEMA
  }))
}

/** How columns for fields of values grow in a kind of sink. */
export const growthIn = (kind: SettledSink['kind']): Growth => ({
  canWiden: kind === 'iceberg',
  ...(kind === 'snowflake' ? { foldsNames: true } : {})
})

/** Whether fields of the entry's values become columns. */
export const growsColumns = ({ schema: { mode } }: SettledTopic): boolean =>
  mode === 'Inferred' || mode === 'Registered'

/** Names the declared columns of a row whose values are of another type, with `onMismatch: SetNull`. */
export const MISMATCH = '_mismatch'

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
    column('reason', 'string', 'In one word, such as InvalidJson or IncompatibleSchema.'),
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
  const fields = [
    ...metadataColumns.map(metadataField),
    ...[...lifted.values()].map(each => column(each.name, liftedType(each))),
    ...(entries.some(mayMismatch) ? [column(MISMATCH, 'string', MISMATCH_COMMENT)] : []),
    ...qualityFields(entries),
    ...(pipeline.deadLetters.policy === 'Inline' ? inlineFields(metadataColumns) : [])
  ]
  const { sink } = pipeline
  switch (sink.kind) {
    case 'delta':
      return { fields, partitionBy: hivePartitions(sink.delta.partitionBy, metadataColumns) }
    case 'iceberg':
      return {
        fields,
        partitionBy: [],
        partitionFields: partitionFields(sink.iceberg.partitionBy, metadataColumns),
        sortBy: sortColumns(metadataColumns)
      }
    case 'snowflake':
      return { fields, partitionBy: [] }
    case 's3':
      return {
        fields,
        partitionBy: [],
        partitionFields: pathFields(sink.s3, metadataColumns),
        sortBy: sortColumns(metadataColumns)
      }
  }
}

const MISMATCH_COMMENT =
  'Names of the declared columns that are null because the value is of another type; null when none is.'

const mayMismatch = ({ schema }: SettledTopic): boolean => schema.mode === 'Declared' && schema.onMismatch === 'SetNull'

/** Null for tombstones and inline dead letters. */
function qualityFields(entries: readonly SettledTopic[]): readonly Field[] {
  const types = new Map<string, 'boolean' | 'double'>()
  for (const { quality } of entries) {
    for (const { name } of quality?.rules ?? []) types.set(name, 'boolean')
    if (quality !== undefined) types.set(quality.scoreColumn, 'double')
  }
  return [...types].map(([name, type]) => column(name, type))
}

/** All columns may be null: tables of other makers and columns that are omitted later stay possible. */
function column(name: string, type: ColumnType, comment?: string): Field {
  return { name, type, nullable: true, ...(comment === undefined ? {} : { comment }) }
}

function metadataField({ source, name, type, isStagedOnly }: MetadataColumn): Field {
  const field: Field = {
    ...column(name, METADATA[type]),
    ...(type === 'Variant' ? { isJson: true } : {}),
    ...(isStagedOnly === true ? { isStagedOnly } : {})
  }
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

const METADATA: Readonly<Record<MetadataColumn['type'], ColumnType>> = {
  String: 'string',
  Binary: 'binary',
  Int: 'int',
  Long: 'long',
  Timestamp: 'timestamp',
  Date: 'date',
  Headers: HEADERS,
  Variant: 'string'
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
