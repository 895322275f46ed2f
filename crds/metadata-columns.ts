import type { MetadataColumnSpec, SinkSpec, TopicSpec } from './pipeline.ts'
import { isRegistered } from './schema-mode.ts'
import type { MetadataColumn, MetadataSource, SettledSchema } from './settled.ts'

/** Standard name and type of each metadata column, in the order in which tables carry them. Key and Value may be retyped. */
const STANDARD: Readonly<Record<MetadataSource, { readonly name: string; readonly type: MetadataColumn['type'] }>> = {
  Topic: { name: '_kafka_topic', type: 'String' },
  Partition: { name: '_kafka_partition', type: 'Int' },
  Offset: { name: '_kafka_offset', type: 'Long' },
  Timestamp: { name: '_kafka_timestamp', type: 'Timestamp' },
  Key: { name: '_kafka_key', type: 'Binary' },
  Headers: { name: '_kafka_headers', type: 'Headers' },
  IngestedAt: { name: '_ingested_at', type: 'Timestamp' },
  IngestionDate: { name: '_ingestion_date', type: 'Date' },
  IngestionHour: { name: '_ingestion_hour', type: 'Int' },
  IngestionId: { name: '_ingestion_id', type: 'String' },
  ConsumerId: { name: '_consumer_id', type: 'String' },
  SchemaVersion: { name: '_schema_version', type: 'Int' },
  Value: { name: 'value', type: 'Binary' }
}

/** What a column is called unless the pipeline renames it. */
export function standardName(source: MetadataSource): string {
  return STANDARD[source].name
}

/** What must be known of a topic and the sink to say which metadata columns there are. */
export interface MetadataSetting {
  readonly format: TopicSpec['format']
  readonly mode: SettledSchema['mode']
  readonly sink: SinkSpec
}

/**
 * The metadata columns of a table, in order, after what `spec.metadataColumns` renames, retypes and omits; then those that
 * the sink alone needs.
 */
export function metadataColumns(
  specs: readonly MetadataColumnSpec[],
  setting: MetadataSetting
): readonly MetadataColumn[] {
  const columns = SOURCES.flatMap((source): MetadataColumn[] => {
    const spec = specs.find(spec => spec.source === source)
    const wanted = spec ? spec.omit !== true : isThereByDefault(source, setting)
    if (!wanted || (source === 'SchemaVersion' && !isRegistered(setting))) return []
    return [{ source, name: spec?.name ?? STANDARD[source].name, type: spec?.type ?? typeOf(source, setting) }]
  })
  return setting.sink.snowflake === undefined ? columns : [...columns, ...stagedOnly(columns)]
}

const SOURCES = Object.keys(STANDARD) as MetadataSource[]

function isThereByDefault(source: MetadataSource, { mode, sink }: MetadataSetting): boolean {
  if (source === 'IngestionHour') return sink.delta?.partitionBy === 'Hour'
  return source !== 'Value' || mode === 'Payload'
}

function typeOf(source: MetadataSource, { format, mode, sink }: MetadataSetting): MetadataColumn['type'] {
  const isJson = format === 'Json' || (format === 'JsonSchema' && mode === 'Payload')
  if (source !== 'Value' || !isJson) return STANDARD[source].type
  return sink.snowflake === undefined ? 'String' : 'Variant'
}

/** Dead letters of rows that Snowflake refuses, and channel tokens, go by these, whether or not the table has them. */
function stagedOnly(columns: readonly MetadataColumn[]): readonly MetadataColumn[] {
  return (['Topic', 'Partition', 'Offset', 'Timestamp'] as const)
    .filter(source => !columns.some(column => column.source === source))
    .map(source => ({
      source,
      name: `_bronze_${source.toLowerCase()}`,
      type: STANDARD[source].type,
      isStagedOnly: true
    }))
}
