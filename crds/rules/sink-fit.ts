import { parseQuantity } from '../../lib/quantity.ts'
import type { BronzePipelineSpec, MetadataColumnSpec } from '../pipeline.ts'
import { isBetween, rule, wrongTopics, type RuleEntry } from './rule.ts'

/** What topics and metadata columns must be so that a Snowflake or S3 sink can take them. */
export const sinkFitRules: readonly RuleEntry[] = [
  rule<BronzePipelineSpec>(
    'type Variant goes with the sink snowflake and with s3 of format Ndjson only: leave it out, or give String',
    ({ metadataColumns, sink: { snowflake, s3 } }) =>
      !metadataColumns.some(isVariantValue) || snowflake !== undefined || s3?.format === 'Ndjson'
  ),
  rule<BronzePipelineSpec>(
    'type Variant needs values that are JSON: set format to Json or JsonSchema in all topics, or leave the type of Value out',
    ({ metadataColumns, topics }) =>
      !metadataColumns.some(isVariantValue) ||
      topics.every(({ format }) => format === 'Json' || format === 'JsonSchema')
  ),
  rule<BronzePipelineSpec>(
    'mode Merge finds rows by their IngestionId: keep that column, or change sink.snowflake.mode',
    ({ metadataColumns, sink }) => sink.snowflake?.mode !== 'Merge' || !isOmitted(metadataColumns, 'IngestionId')
  ),
  rule<BronzePipelineSpec>(
    'pathTime Timestamp needs the column Timestamp: keep it, or change sink.s3.pathTime',
    ({ metadataColumns, sink }) => sink.s3?.pathTime !== 'Timestamp' || !isOmitted(metadataColumns, 'Timestamp')
  ),
  rule<BronzePipelineSpec>(
    'column names that begin with _bronze_ are kept for ourselves in Snowflake: rename the column',
    ({ metadataColumns, sink }) =>
      sink.snowflake === undefined ||
      !metadataColumns.some(({ name }) => name?.toLowerCase().startsWith('_bronze_') === true)
  ),
  rule<BronzePipelineSpec>(
    'a table in Snowflake is named `table` or `schema.table`: the database is sink.snowflake.database',
    ({ topics, sink }) =>
      sink.snowflake === undefined || wrongTopics(topics, 'table', ({ table }) => table.split('.').length <= 2)
  ),
  rule<BronzePipelineSpec>(
    'names that end in _BRONZE_OFFSETS, _BRONZE_COMMITS, _BRONZE_STAGE or _BRONZE_BATCH are kept for what stands beside a table in Snowflake: rename the table',
    ({ topics, sink }) =>
      sink.snowflake === undefined || wrongTopics(topics, 'table', ({ table }) => !BESIDE.test(table))
  ),
  rule<BronzePipelineSpec>(
    'maxRecordBytes may be at most 16Mi with the sink snowflake: no text there is longer',
    ({ topics, sink }) =>
      sink.snowflake === undefined ||
      wrongTopics(topics, 'maxRecordBytes', ({ maxRecordBytes }) =>
        isBetween(parseQuantity(maxRecordBytes), 0, 2 ** 24)
      )
  ),
  rule<BronzePipelineSpec>(
    'the scale of a column may be at most 37 with the sink snowflake',
    ({ topics, sink }) =>
      sink.snowflake === undefined ||
      wrongTopics(topics, 'columns', ({ columns }) => columns.every(({ scale = 0 }) => scale <= 37))
  ),
  rule<BronzePipelineSpec>(
    'dead-letter tables may not have the names of what stands beside a table in Snowflake: choose another ending',
    ({ deadLetters: { table }, sink }) => sink.snowflake === undefined || table === undefined || !BESIDE.test(table)
  )
]

const BESIDE = /_bronze_(offsets|commits|stage|batch)$/i

const isVariantValue = ({ source, type }: MetadataColumnSpec): boolean => source === 'Value' && type === 'Variant'

function isOmitted(columns: readonly MetadataColumnSpec[], source: MetadataColumnSpec['source']): boolean {
  return columns.some(column => column.source === source && column.omit === true)
}
