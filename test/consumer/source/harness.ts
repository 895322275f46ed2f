import type { SettledSource, SettledTopic, SourceSecurity } from '../../../crds/settled.ts'
import { systemClock } from '../../../lib/clock.ts'
import { silentLog } from '../../../lib/log.ts'
import { type Partition, type PartitionId, partitionId } from '../../../consumer/partition.ts'
import { type RecordBatch, RecordCursor } from '../../../consumer/record-batch.ts'
import type { Source, SourceLoss } from '../../../consumer/source.ts'
import { type KafkaSourceOptions, openKafkaSource } from '../../../consumer/source/kafka-source.ts'

export const PLAINTEXT: SourceSecurity = {
  protocol: 'PLAINTEXT',
  mechanism: undefined,
  credentialsSecret: undefined,
  tokenEndpoint: undefined,
  scope: undefined,
  caSecret: undefined,
  clientCertificateSecret: undefined
}

export function settledTopic(match: SettledTopic['match']): SettledTopic {
  const name = 'topic' in match ? match.topic : match.pattern
  return {
    name,
    match,
    table: 'bronze.test',
    format: 'Raw',
    schema: { mode: 'Payload', onIncompatible: 'DeadLetter', onMismatch: 'DeadLetter' },
    startFrom: { position: 'Earliest' },
    batch: { maxRecords: undefined, maxBytes: 1 << 20, triggerIntervalMs: 1000 },
    columns: [],
    metadataColumns: [],
    maxRecordBytes: 1 << 20,
    quality: undefined
  }
}

export interface TestSourceOptions {
  readonly bootstrap: string
  readonly groupId: string
  readonly topics?: readonly string[]
  readonly patterns?: readonly string[]
  readonly instanceId?: string
  readonly security?: SourceSecurity
  readonly secrets?: Readonly<Record<string, string>>
  readonly limits?: Partial<KafkaSourceOptions['limits']>
  readonly log?: KafkaSourceOptions['log']
}

/** A source with short times, and what it has told so far. */
export class TestSource {
  readonly source: Source
  readonly assigned = new Map<PartitionId, Partition>()
  /** Every change in order: `+topic-0`, `-topic-0`. */
  readonly changes: string[] = []
  readonly records: {
    partition: PartitionId
    offset: number
    key: string | null
    value: string | null
    timestampMs: number
  }[] = []
  readonly batches: RecordBatch[] = []
  readonly losses: SourceLoss[] = []
  /** Where newly assigned partitions begin; undefined leaves them unsought. */
  start: ((partition: Partition) => number | undefined) | undefined = () => 0

  constructor({
    bootstrap,
    groupId,
    topics = [],
    patterns = [],
    instanceId = 'consumer-0',
    ...rest
  }: TestSourceOptions) {
    const source: SettledSource = {
      bootstrapServers: [bootstrap],
      groupId,
      security: rest.security ?? PLAINTEXT,
      onDataLoss: 'Fail',
      schemaRegistry: undefined
    }
    this.source = openKafkaSource({
      pipeline: {
        source,
        topics: [...topics.map(topic => ({ topic })), ...patterns.map(pattern => ({ pattern }))].map(settledTopic),
        deadLetters: { policy: 'Topic', table: 'dlq_{table}', topic: '{topic}-dead' }
      },
      instanceId,
      clientId: instanceId,
      readSecret: async (name, key) => rest.secrets?.[`${name}/${key}`],
      clock: systemClock,
      log: rest.log ?? silentLog,
      limits: {
        fetchBytes: 1 << 20,
        partitionFetchBytes: 256 << 10,
        sessionTimeoutMs: 6000,
        metadataRefreshMs: 200,
        ...rest.limits
      }
    })
  }

  async pollOnce(maxWaitMs = 100): Promise<void> {
    const poll = await this.source.poll(maxWaitMs, true)
    for (const partition of poll.revoked) {
      this.assigned.delete(partitionId(partition))
      this.changes.push(`-${partitionId(partition)}`)
    }
    const positions = new Map<PartitionId, number>()
    for (const partition of poll.assigned) {
      this.assigned.set(partitionId(partition), partition)
      this.changes.push(`+${partitionId(partition)}`)
      const offset = this.start?.(partition)
      if (offset !== undefined) positions.set(partitionId(partition), offset)
    }
    if (positions.size > 0) this.source.seek(positions)
    this.losses.push(...poll.losses)
    for (const batch of poll.batches) this.#take(batch)
  }

  #take(batch: RecordBatch): void {
    this.batches.push(batch)
    if (batch.kind !== 'data') return
    const cursor = new RecordCursor()
    cursor.reset(batch)
    const text = (start: number, length: number) =>
      length < 0 ? null : cursor.bytes.toString('utf8', start, start + length)
    while (cursor.next()) {
      this.records.push({
        partition: partitionId(batch.partition),
        offset: cursor.offset,
        key: text(cursor.keyStart, cursor.keyLength),
        value: text(cursor.valueStart, cursor.valueLength),
        timestampMs: cursor.timestampMs
      })
    }
  }

  offsets(id: PartitionId): number[] {
    return this.records.filter(({ partition }) => partition === id).map(({ offset }) => offset)
  }
}

/** Polls all sources in turn until `isDone`; fails loudly instead of hanging. */
export async function pollUntil(
  sources: readonly TestSource[],
  isDone: () => boolean,
  what: string,
  timeoutMs = 90_000
): Promise<void> {
  const endMs = Date.now() + timeoutMs
  while (!isDone()) {
    if (Date.now() > endMs) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    for (const source of sources) await source.pollOnce(20)
  }
}
