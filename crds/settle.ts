import { parseDurationMs } from '../lib/duration.ts'
import { invariant } from '../lib/errors.ts'
import { parseQuantity } from '../lib/quantity.ts'
import { metadataColumns } from './metadata-columns.ts'
import type {
  BatchSpec,
  BronzePipeline,
  ColumnSpec,
  ScalingSpec,
  SchemaRegistrySpec,
  SecuritySpec,
  SinkSpec,
  TopicBatchSpec,
  TopicEndAt,
  TopicSpec,
  TopicStartFrom
} from './pipeline.ts'
import { schemaMode } from './schema-mode.ts'
import { settleConsumer } from './settle-consumer.ts'
import { settleSink } from './settle-sink.ts'
import type { SettledScaling } from './settled-scaling.ts'
import type {
  BatchLimits,
  EndAt,
  LiftedColumn,
  SchemaRegistryOptions,
  SettledPipeline,
  SettledTopic,
  SourceSecurity,
  StartFrom
} from './settled.ts'

const DEFAULT_DEAD_LETTER_TABLE = 'dlq_{table}'
const DEFAULT_DEAD_LETTER_TOPIC = '{topic}.dlq'
const DEFAULT_PARTITIONS_PER_REPLICA = 1
const DEFAULT_MAX_REPLICAS = 16
const DEFAULT_MIN_REPLICAS = 1
/** Of `scaling.catchUpTime`, `stabilizationTime` and `idleTime`. */
const DEFAULT_SCALING_TIME = '10m'

/** Fills what the schema leaves to the program and applies overrides. The pipeline is one that `parsePipeline` accepted. */
export function settle(pipeline: BronzePipeline): SettledPipeline {
  const { metadata, spec } = pipeline
  const namespace = metadata.namespace ?? 'default'
  return {
    namespace,
    name: metadata.name,
    createdAt: metadata.creationTimestamp,
    source: {
      bootstrapServers: spec.source.bootstrapServers,
      groupId: spec.source.groupId ?? `bronze.${namespace}.${metadata.name}`,
      security: settleSecurity(spec.source.security),
      onDataLoss: spec.source.onDataLoss,
      schemaRegistry: settleRegistry(spec.source.schemaRegistry)
    },
    topics: spec.topics.map(topic => settleTopic(topic, pipeline)),
    sink: settleSink(spec.sink),
    deadLetters: {
      policy: spec.deadLetters.policy,
      table: spec.deadLetters.table ?? DEFAULT_DEAD_LETTER_TABLE,
      topic: spec.deadLetters.topic ?? DEFAULT_DEAD_LETTER_TOPIC
    },
    scaling: settleScaling(spec.scaling),
    suspend: spec.suspend,
    mode: spec.mode ?? 'Apply',
    consumer: settleConsumer(spec.consumer, spec.sink)
  }
}

/** The dead-letter table of a table: `bronze.trips` → `bronze.dlq_trips` with the template `dlq_{table}`. */
export function deadLetterTable(pipeline: SettledPipeline, table: string): string {
  const names = table.split('.')
  const last = names.pop() ?? ''
  return [...names, pipeline.deadLetters.table.replaceAll('{table}', () => last)].join('.')
}

/** The dead-letter topic of a topic: `trips` → `trips.dlq` with the template `{topic}.dlq`. */
export function deadLetterTopic(pipeline: SettledPipeline, topic: string): string {
  return pipeline.deadLetters.topic.replaceAll('{topic}', () => topic)
}

function settleTopic(topic: TopicSpec, { spec }: BronzePipeline): SettledTopic {
  const { schema } = topic
  const mode = schemaMode(topic)
  return {
    name: topic.name,
    match: topic.pattern === undefined ? { topic: topic.topic ?? topic.name } : { pattern: topic.pattern },
    table: topic.table,
    format: topic.format,
    schema: {
      mode,
      onIncompatible: schema?.onIncompatible ?? 'DeadLetter',
      onMismatch: schema?.onMismatch ?? 'DeadLetter'
    },
    startFrom: settleStartFrom(topic.startFrom ?? spec.source.startFrom),
    endAt: topic.endAt && settleEndAt(topic.endAt),
    batch: settleBatch(spec.batch, topic.batch ?? {}),
    columns: topic.columns.map(settleColumn),
    metadataColumns: metadataColumns(spec.metadataColumns, { format: topic.format, mode, sink: spec.sink }),
    maxRecordBytes: Math.min(bytes(topic.maxRecordBytes), mostRecordBytes(spec.sink)),
    quality: topic.quality
  }
}

/** What a row of the record may need at most: a request of Snowpipe Streaming takes 4 MB, and bytes go as base64. */
const mostRecordBytes = ({ snowflake }: SinkSpec): number =>
  snowflake?.mode === 'Streaming' ? 3 * 2 ** 20 : Number.POSITIVE_INFINITY

function settleStartFrom(startFrom: TopicStartFrom): StartFrom {
  switch (startFrom.position) {
    case 'Earliest':
    case 'Latest':
      return { position: startFrom.position }
    case 'Timestamp':
      return { position: 'Timestamp', timestampMs: Date.parse(startFrom.timestamp ?? '') }
    case 'Group':
      return { position: 'Group', groupId: startFrom.groupId ?? '' }
    case 'Offsets':
      return {
        position: 'Offsets',
        offsets: new Map((startFrom.offsets ?? []).map(({ partition, offset }) => [partition, offset]))
      }
  }
}

function settleEndAt({ position, offsets = [], timestamp = '', partitions }: TopicEndAt): EndAt {
  return position === 'Offsets'
    ? { position, offsets: new Map(offsets.map(({ partition, offset }) => [partition, offset])) }
    : { position, timestampMs: Date.parse(timestamp), partitions }
}

function settleBatch(general: BatchSpec, own: TopicBatchSpec): BatchLimits {
  return {
    maxRecords: own.maxRecords ?? general.maxRecords,
    maxBytes: bytes(own.maxBytes ?? general.maxBytes),
    triggerIntervalMs: durationMs(own.triggerInterval ?? general.triggerInterval)
  }
}

function settleColumn(column: ColumnSpec): LiftedColumn {
  const { name, type, required, value, header, precision, scale = 0 } = column
  const lifted = { name, type, required, ...(precision === undefined ? {} : { precision, scale }) }
  if (value !== undefined) return { ...lifted, from: { kind: 'value', pointer: value } }
  if (header !== undefined) return { ...lifted, from: { kind: 'header', header } }
  return { ...lifted, from: { kind: 'key' } }
}

function settleRegistry(registry: SchemaRegistrySpec | undefined): SchemaRegistryOptions | undefined {
  return (
    registry && {
      url: registry.url,
      credentialsSecret: registry.credentialsSecretRef?.name,
      caSecret: registry.caSecretRef?.name
    }
  )
}

function settleSecurity(security: SecuritySpec): SourceSecurity {
  return {
    protocol: security.protocol,
    mechanism: security.mechanism,
    credentialsSecret: security.credentialsSecretRef?.name,
    tokenEndpoint: security.tokenEndpoint,
    scope: security.scope,
    caSecret: security.caSecretRef?.name,
    clientCertificateSecret: security.clientCertificateSecretRef?.name
  }
}

function settleScaling(scaling: ScalingSpec): SettledScaling {
  const { maxReplicas = DEFAULT_MAX_REPLICAS } = scaling
  switch (scaling.mode) {
    case 'External':
      return { mode: 'External', replicas: scaling.replicas ?? 0 }
    case 'Lag':
      return {
        mode: 'Lag',
        minReplicas: scaling.minReplicas ?? DEFAULT_MIN_REPLICAS,
        maxReplicas,
        catchUpMs: durationMs(scaling.catchUpTime ?? DEFAULT_SCALING_TIME),
        stabilizationMs: durationMs(scaling.stabilizationTime ?? DEFAULT_SCALING_TIME),
        idleMs: durationMs(scaling.idleTime ?? DEFAULT_SCALING_TIME)
      }
    case 'Partitions':
      return {
        mode: 'Partitions',
        partitionsPerReplica: scaling.partitionsPerReplica ?? DEFAULT_PARTITIONS_PER_REPLICA,
        maxReplicas
      }
  }
}

function bytes(quantity: string): number {
  const value = parseQuantity(quantity)
  invariant(value !== undefined, 'sizes of an accepted pipeline are quantities')
  return value
}

function durationMs(duration: string): number {
  const value = parseDurationMs(duration)
  invariant(value !== undefined, 'durations of an accepted pipeline can be read')
  return value
}
