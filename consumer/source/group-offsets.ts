import { offsetCommitV7, offsetCommitV8, offsetFetchV7, offsetFetchV8 } from '@platformatic/kafka'
import type { Log } from '../../lib/log.ts'
import { type Partition, type PartitionId, partitionId } from '../partition.ts'
import type { ReportedOffset } from '../source.ts'
import type { Cluster } from './cluster.ts'
import type { BrokerAddress } from './connections.ts'
import { checkCode, errorIds, sourceError } from './trouble.ts'

/** As whom offsets are committed: the group coordinator takes them from members of its generation alone. */
export interface Membership {
  readonly memberId: string
  readonly generationId: number
}

const OFFSET_COMMIT = [offsetCommitV8.api, offsetCommitV7.api] as const
type OffsetFetchApi = typeof offsetFetchV8.api
/** The older one takes and answers one group; the library gives both the same shape. */
const OFFSET_FETCH: readonly [OffsetFetchApi, OffsetFetchApi] = [offsetFetchV8.api, offsetFetchV7.api]
const NO_EPOCH = -1
const ATTEMPTS = 2

/** Offsets that consumer groups hold in Kafka: a report of ours, and where another group's work is taken over. */
export class GroupOffsets {
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #instanceId: string
  readonly #log: Log
  readonly #coordinators = new Map<string, BrokerAddress>()

  constructor(cluster: Cluster, groupId: string, instanceId: string, log: Log) {
    this.#cluster = cluster
    this.#groupId = groupId
    this.#instanceId = instanceId
    this.#log = log
  }

  /**
   * Reports offsets, best effort: what a younger generation owns is no longer ours to report, and other trouble is
   * logged. False when the group did not take them. Throws FatalError alone.
   */
  async commit(
    offsets: ReadonlyMap<PartitionId, ReportedOffset>,
    partitions: ReadonlyMap<PartitionId, Partition>,
    member: Membership
  ): Promise<boolean> {
    const topics = new Map<
      string,
      { partitionIndex: number; committedOffset: bigint; committedLeaderEpoch: number; committedMetadata: string }[]
    >()
    for (const [id, { nextOffset, metadata }] of offsets) {
      const partition = partitions.get(id)
      if (partition === undefined) continue
      const entries = topics.get(partition.topic) ?? []
      entries.push({
        partitionIndex: partition.partition,
        committedOffset: BigInt(nextOffset),
        committedLeaderEpoch: NO_EPOCH,
        committedMetadata: metadata
      })
      topics.set(partition.topic, entries)
    }
    if (topics.size === 0) return true
    const request = [...topics].map(([name, entries]) => ({ name, partitions: entries }))
    try {
      await this.#withCoordinator(this.#groupId, async address => {
        const link = await this.#cluster.coordinatorLink('control', address)
        const { memberId, generationId } = member
        const answer = await link.call(OFFSET_COMMIT, this.#groupId, generationId, memberId, this.#instanceId, request)
        for (const topic of answer.topics) for (const { errorCode } of topic.partitions) checkCode(errorCode)
      })
      return true
    } catch (error) {
      const ids = errorIds(error)
      if (STALE.some(id => ids.has(id))) {
        this.#log.debug('a report came too late for its generation of the group')
        return false
      }
      const trouble = sourceError(error)
      if (trouble.name === 'FatalError') throw trouble
      this.#log.warn('offsets could not be reported to the group', { groupId: this.#groupId }, error)
      return false
    }
  }

  /** What a group holds for these partitions; absent where it holds nothing. */
  async fetch(groupId: string, partitions: readonly Partition[]): Promise<ReadonlyMap<PartitionId, ReportedOffset>> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, entries]) => ({
      name,
      partitionIndexes: entries.map(({ partition }) => partition)
    }))
    const held = new Map<PartitionId, ReportedOffset>()
    if (topics.length === 0) return held
    await this.#withCoordinator(groupId, async address => {
      const link = await this.#cluster.coordinatorLink('control', address)
      const { groups } = await link.call(
        OFFSET_FETCH,
        [{ groupId, memberId: null, memberEpoch: NO_EPOCH, topics }],
        false
      )
      for (const group of groups) {
        checkCode(group.errorCode)
        for (const { name, partitions: entries } of group.topics) {
          for (const { partitionIndex, committedOffset, metadata, errorCode } of entries) {
            checkCode(errorCode)
            if (committedOffset < 0n) continue
            const id = partitionId({ topic: name, partition: partitionIndex })
            held.set(id, { nextOffset: Number(committedOffset), metadata: metadata ?? '' })
          }
        }
      }
    })
    return held
  }

  /** Runs `work` with the group's coordinator; one that has moved is looked for once more. */
  async #withCoordinator(groupId: string, work: (address: BrokerAddress) => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const address = this.#coordinators.get(groupId) ?? (await this.#cluster.coordinatorOf(groupId))
        this.#coordinators.set(groupId, address)
        await work(address)
        return
      } catch (error) {
        this.#coordinators.delete(groupId)
        if (attempt === ATTEMPTS || STALE.some(id => errorIds(error).has(id))) throw sourceError(error)
      }
    }
  }
}

/**
 * A report under a membership that the coordinator no longer knows. One that was under way while this process joined anew
 * is fenced by that join; whether another process has done it, the next heartbeat tells.
 */
const STALE = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'] as const
