import { Kafka, logLevel, type KafkaConfig } from 'kafkajs'
import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { PartitionOffsets } from '../lag.ts'
import { askCoordinator } from './coordinator.ts'
import { ConsumerGroup } from './group.ts'
import { createCluster, send, type Broker, type Cluster, type Metadata } from './internals.ts'
import { protocolError } from './protocol-error.ts'
import { sourceTrouble } from './trouble.ts'

const CONNECT_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10_000
/** One look at the cluster serves all pipelines that ask within this time. */
const METADATA_AGE_MS = 5000
const READ_COMMITTED = 1
const LATEST = '-1'
const EARLIEST = '-2'

export type KafkaSecurity = Pick<KafkaConfig, 'ssl' | 'sasl'>

interface ListedOffsets {
  readonly responses: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[]
  }[]
}

interface FetchedOffsets extends ListedOffsets {
  readonly errorCode: number
  readonly responses: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly errorCode: number
      readonly offset: string
      readonly metadata: string | null
    }[]
  }[]
}

/** Reads topics and offsets of one cluster under one identity. Connects when first asked; every method throws RetryableError. */
export class KafkaCluster {
  readonly #cluster: Cluster
  readonly #clock: Clock
  #metadata: { readonly found: Promise<Metadata>; readonly atMs: number } | undefined

  constructor(brokers: readonly string[], security: KafkaSecurity, clock: Clock) {
    this.#clock = clock
    this.#cluster = createCluster(
      new Kafka({
        clientId: 'bronze-operator',
        brokers: [...brokers],
        ...security,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        // The caller's timer is the retry; a broker that is away must not hold up a sample.
        retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1000 },
        logLevel: logLevel.NOTHING
      })
    )
  }

  /** Number of partitions of every topic that we may see and that is not Kafka's own. */
  async topics(): Promise<ReadonlyMap<string, number>> {
    const { topicMetadata } = await this.#look()
    return new Map(
      topicMetadata
        .filter(({ isInternal, topicErrorCode }) => isInternal !== true && topicErrorCode === 0)
        .map(({ topic, partitionMetadata }) => [topic, partitionMetadata.length])
    )
  }

  /** Offsets of every partition of these topics, and what the group holds for them. */
  async offsets(groupId: string, topics: readonly string[]): Promise<readonly PartitionOffsets[]> {
    if (topics.length === 0) return []
    const { topicMetadata } = await this.#look()
    const partitions = topicMetadata
      .filter(({ topic }) => topics.includes(topic))
      .flatMap(({ topic, partitionMetadata }) =>
        partitionMetadata.map(({ partitionId: partition, leader }) => ({ topic, partition, leader }))
      )
    // In this order: an offset committed later than the end was read could lie beyond it.
    const committed = await this.#asked(() => this.#committed(groupId, partitions))
    const [logStarts, lastStable] = await this.#asked(() =>
      Promise.all([this.#list(partitions, EARLIEST), this.#list(partitions, LATEST)])
    )
    return partitions.map(({ topic, partition }) => {
      const key = `${topic}/${partition}`
      const held = committed.get(key)
      return {
        topic,
        partition,
        committed: held?.offset,
        metadata: held?.metadata ?? '',
        logStart: logStarts.get(key),
        lastStable: lastStable.get(key)
      }
    })
  }

  /** What becomes of a group beside its offsets. */
  async group(groupId: string): Promise<ConsumerGroup> {
    await this.#look()
    return new ConsumerGroup({ cluster: this.#cluster, clock: this.#clock, groupId })
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect().catch(() => {})
  }

  #look(): Promise<Metadata> {
    const nowMs = this.#clock.now()
    if (this.#metadata === undefined || nowMs - this.#metadata.atMs > METADATA_AGE_MS) {
      this.#metadata = { found: this.#asked(() => this.#refresh()), atMs: nowMs }
    }
    return this.#metadata.found
  }

  async #refresh(): Promise<Metadata> {
    await this.#cluster.connect()
    await this.#cluster.brokerPool.refreshMetadata([])
    const { metadata } = this.#cluster.brokerPool
    if (metadata === null) throw new RetryableError('SourceUnreachable', 'the brokers were lost while they were asked')
    return metadata
  }

  async #committed(
    groupId: string,
    partitions: readonly Placed[]
  ): Promise<ReadonlyMap<string, { readonly offset: number; readonly metadata: string }>> {
    const answer = await this.#fetch(groupId, byTopic(partitions, {}))
    if (answer.errorCode !== 0) throw protocolError(answer.errorCode)
    const found = new Map<string, { offset: number; metadata: string }>()
    for (const { topic, partitions } of answer.responses) {
      for (const { partition, errorCode, offset, metadata } of partitions) {
        if (errorCode !== 0) throw protocolError(errorCode)
        if (Number(offset) >= 0)
          found.set(`${topic}/${partition}`, { offset: Number(offset), metadata: metadata ?? '' })
      }
    }
    return found
  }

  async #fetch(groupId: string, topics: readonly object[]): Promise<FetchedOffsets> {
    return await askCoordinator(
      { cluster: this.#cluster, clock: this.#clock, groupId },
      async broker => (await send(broker, 'OffsetFetch', { groupId, topics })) as FetchedOffsets,
      ({ errorCode, responses }) => [errorCode, ...responses.flatMap(({ partitions }) => partitions.map(errorOf))]
    )
  }

  /** A partition without a leader, or whose leader does not answer for it, is absent. */
  async #list(partitions: readonly Placed[], timestamp: string): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>()
    const byLeader = Map.groupBy(partitions, ({ leader }) => leader)
    byLeader.delete(-1)
    const ask = async ([nodeId, led]: [number, Placed[]]) => {
      const broker: Broker = await this.#cluster.findBroker({ nodeId })
      const topics = byTopic(led, { timestamp })
      const answer = (await send(broker, 'ListOffsets', { isolationLevel: READ_COMMITTED, topics })) as ListedOffsets
      for (const { topic, partitions } of answer.responses) {
        for (const { partition, errorCode, offset } of partitions) {
          if (errorCode === 0) found.set(`${topic}/${partition}`, Number(offset))
        }
      }
    }
    const outcomes = await Promise.allSettled([...byLeader].map(ask))
    const failed = outcomes.filter(({ status }) => status === 'rejected')
    const [first] = failed
    // One broker away makes its partitions unknown; all of them away is trouble with the source.
    if (first?.status === 'rejected' && failed.length === outcomes.length) throw first.reason
    if (found.size < partitions.length) this.#metadata = undefined
    return found
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      this.#metadata = undefined
      throw sourceTrouble(error)
    }
  }
}

const errorOf = ({ errorCode }: { readonly errorCode: number }) => errorCode

interface Placed {
  readonly topic: string
  readonly partition: number
  readonly leader: number
}

function byTopic(partitions: readonly Placed[], extra: object): object[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, own]) => ({
    topic,
    partitions: own.map(({ partition }) => ({ partition, ...extra }))
  }))
}
