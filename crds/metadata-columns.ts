import type { MetadataColumnSpec, TopicSpec } from './pipeline.ts'
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

/** The metadata columns of a table, in order, after what `spec.metadataColumns` renames, retypes and omits. */
export function metadataColumns(
  specs: readonly MetadataColumnSpec[],
  format: TopicSpec['format'],
  mode: SettledSchema['mode'],
  isPartitionedByHour: boolean
): readonly MetadataColumn[] {
  const isThereByDefault = (source: MetadataSource): boolean => {
    if (source === 'IngestionHour') return isPartitionedByHour
    return source !== 'Value' || mode === 'Payload'
  }
  return (Object.keys(STANDARD) as MetadataSource[]).flatMap(source => {
    const spec = specs.find(spec => spec.source === source)
    const wanted = spec ? spec.omit !== true : isThereByDefault(source)
    if (!wanted || (source === 'SchemaVersion' && mode !== 'Registered')) return []
    const standard = STANDARD[source]
    const type = source === 'Value' && format === 'Json' ? 'String' : standard.type
    return [{ source, name: spec?.name ?? standard.name, type: spec?.type ?? type }]
  })
}
