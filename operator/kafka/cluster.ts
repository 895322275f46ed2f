import { Kafka, logLevel, type KafkaConfig } from 'kafkajs'
import type { Clock } from '../../lib/clock.ts'
import type { RetryableError } from '../../lib/errors.ts'
import type { DescribedGroup } from '../source/group-view.ts'
import type { PartitionOffsets } from '../source/partition-offsets.ts'
import { Coordinators } from './coordinators.ts'
import { EndOffsets } from './end-offsets.ts'
import { Gathered } from './gathered.ts'
import { describeGroups, fetchOffsets, GROUPS_AT_MOST } from './group-requests.ts'
import { ConsumerGroup } from './group.ts'
import { createCluster } from './internals.ts'
import type { FetchedGroup, OffsetsOfGroup } from './newer-requests.ts'
import { Nodes } from './nodes.ts'
import { keyOf, PartitionEnds } from './partition-ends.ts'
import { TOPIC_AUTHORIZATION_FAILED } from './protocol-error.ts'
import { TopicDirectory, type TopicInterest, type TopicsSeen } from './topic-directory.ts'
import { sourceTrouble, topicsRefused } from './trouble.ts'

const CONNECT_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10_000
/** Those who ask within this time are answered by one request. */
const GATHER_MS = 10
const NO_BOUNDS = { logStart: undefined, lastStable: undefined }
const NOTHING: TopicInterest = { names: [], hasPattern: false }

export type KafkaSecurity = Pick<KafkaConfig, 'ssl' | 'sasl'>

/** Offsets of partitions, those that could be had, and why others could not. */
export interface OffsetsSeen {
  readonly offsets: readonly PartitionOffsets[]
  readonly trouble: RetryableError | undefined
}

/**
 * Reads topics, offsets and groups of one cluster under one identity, for many pipelines by few requests. Connects when first
 * asked; every method throws RetryableError.
 */
export class KafkaCluster {
  readonly #nodes: Nodes
  readonly #directory: TopicDirectory
  readonly #coordinators: Coordinators
  readonly #ends: PartitionEnds
  readonly #committed: Gathered<OffsetsOfGroup, FetchedGroup>
  readonly #groups: Gathered<{ readonly groupId: string }, DescribedGroup>

  constructor(brokers: readonly string[], security: KafkaSecurity, clock: Clock) {
    const kafka = new Kafka({
      clientId: 'bronze-operator',
      brokers: [...brokers],
      ...security,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // The caller's timer is the retry; a broker that is away must not hold up a sample.
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1000 },
      logLevel: logLevel.NOTHING
    })
    const nodes = new Nodes(createCluster(kafka), clock)
    const coordinators = new Coordinators(nodes, clock)
    this.#nodes = nodes
    this.#directory = new TopicDirectory(nodes, clock)
    this.#coordinators = coordinators
    this.#ends = new PartitionEnds(this.#directory, new EndOffsets(nodes, clock, GATHER_MS))
    this.#committed = new Gathered({
      clock,
      gatherMs: GATHER_MS,
      answer: asks => coordinators.answer(asks, GROUPS_AT_MOST.offsets, fetchOffsets)
    })
    this.#groups = new Gathered({
      clock,
      gatherMs: GATHER_MS,
      answer: asks => coordinators.answer(asks, GROUPS_AT_MOST.states, describeGroups)
    })
  }

  /** Looks these topics up together with those of all others from now on, until it is called off. */
  follow(interest: TopicInterest): () => void {
    return this.#directory.follow(interest)
  }

  topics(interest: TopicInterest): Promise<TopicsSeen> {
    return asked(() => this.#directory.look(interest))
  }

  /** Of every partition of these topics: what the log holds, and what the group has committed. */
  async offsets(groupId: string, topics: readonly string[]): Promise<OffsetsSeen> {
    if (topics.length === 0) return { offsets: [], trouble: undefined }
    return await asked(async () => {
      const partitions = await this.#ends.place(topics)
      // In this order: an offset committed later than the end was read could lie beyond it.
      const held = committedOf(await this.#committed.ask({ groupId, topics: byTopic(partitions) }))
      const { starts, ends } = await this.#ends.bounds(partitions)
      const offsets = partitions.map(({ topic, partition }) => {
        const key = keyOf({ topic, partition })
        const { offset: committed, metadata = '' } = held.found.get(key) ?? {}
        // Where what is committed could not be had, nothing is known, not even that an empty log is read.
        const bounds = held.codes.has(key)
          ? NO_BOUNDS
          : { logStart: starts.found.get(key), lastStable: ends.found.get(key) }
        return { topic, partition, committed, metadata, ...bounds }
      })
      return { offsets, trouble: refusalOf([held.codes, starts.codes, ends.codes]) }
    })
  }

  /**
   * The first offset at or after a time, of each partition that has been asked for and answered; -1 when there is none. By
   * `topic/partition`.
   */
  async offsetsAt(
    wanted: readonly { readonly topic: string; readonly partition: number; readonly atMs: number }[]
  ): Promise<ReadonlyMap<string, number>> {
    const times = new Map(wanted.map(one => [keyOf(one), Math.floor(one.atMs)]))
    return await asked(async () => {
      const placed = await this.#ends.place([...new Set(wanted.map(({ topic }) => topic))])
      const partitions = placed.filter(one => times.has(keyOf(one)))
      return (await this.#ends.at(partitions, one => times.get(keyOf(one)) ?? 0)).found
    })
  }

  /** Together with whoever else asks at nearly the same time. */
  async describe(groupId: string): Promise<DescribedGroup> {
    return await asked(async () => {
      await this.#directory.look(NOTHING)
      return await this.#groups.ask({ groupId })
    })
  }

  /** What becomes of a group beside its offsets. */
  async group(groupId: string): Promise<ConsumerGroup> {
    await asked(() => this.#directory.look(NOTHING))
    return new ConsumerGroup(this.#coordinators, groupId)
  }

  async close(): Promise<void> {
    await this.#nodes.close()
  }
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw sourceTrouble(error)
  }
}

/** What a group holds, by `topic/partition`. */
interface Committed {
  readonly found: ReadonlyMap<string, { readonly offset: number; readonly metadata: string }>
  readonly codes: ReadonlyMap<string, number>
}

function committedOf({ responses }: FetchedGroup): Committed {
  const found = new Map<string, { offset: number; metadata: string }>()
  const codes = new Map<string, number>()
  for (const { topic, partitions } of responses) {
    for (const { partition, errorCode, offset, metadata } of partitions) {
      const key = keyOf({ topic, partition })
      if (errorCode !== 0) codes.set(key, errorCode)
      else if (Number(offset) >= 0) found.set(key, { offset: Number(offset), metadata: metadata ?? '' })
    }
  }
  return { found, codes }
}

/** What somebody has to allow; a leader that is elsewhere is found at the next look. */
function refusalOf(lists: readonly ReadonlyMap<string, number>[]): RetryableError | undefined {
  const refused = lists.flatMap(codes => [...codes].filter(([, code]) => code === TOPIC_AUTHORIZATION_FAILED))
  const topics = new Set(refused.map(([key]) => key.slice(0, key.lastIndexOf('/'))))
  return topics.size === 0 ? undefined : topicsRefused([...topics])
}

function byTopic(
  partitions: readonly { readonly topic: string; readonly partition: number }[]
): OffsetsOfGroup['topics'] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, own]) => ({ topic, partitions: own }))
}
