import { listOffsetsV5, listOffsetsV6 } from '@platformatic/kafka'
import type { Clock } from '../../lib/clock.ts'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import type { Cluster } from './cluster.ts'
import { checkCode, sourceError } from './trouble.ts'

/** What `ListOffsets` is asked for: a timestamp in ms, or one of Kafka's special ones. */
export const EARLIEST = -2
/** Under `read_committed` the last stable offset: what an open transaction wrote is read once it commits. */
export const LATEST = -1

const LIST_OFFSETS = [listOffsetsV6.api, listOffsetsV5.api] as const
const CONSUMER = -1
export const READ_UNCOMMITTED = 0
export const READ_COMMITTED = 1
const ATTEMPTS = 5
const RETRY_AFTER_MS = 200

/** Offsets of topics, as their leaders tell them. */
export class TopicOffsets {
  readonly #cluster: Cluster
  readonly #clock: Clock

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
  }

  /**
   * The first offset at or after `timestamp` per partition; absent where there is none. Leaders that have moved are asked
   * again a few times; then RetryableError.
   */
  async list(
    topic: string,
    partitions: readonly number[],
    timestamp: number,
    isolation = READ_COMMITTED
  ): Promise<ReadonlyMap<number, number>> {
    const found = new Map<number, number>()
    let left = partitions
    for (let attempt = 1; left.length > 0; attempt++) {
      try {
        left = await this.#listOnce(topic, left, BigInt(timestamp), isolation, found)
        if (left.length === 0) break
      } catch (error) {
        const trouble = sourceError(error)
        if (trouble instanceof FatalError || attempt === ATTEMPTS) throw trouble
      }
      if (attempt === ATTEMPTS) {
        throw new RetryableError('SourceTrouble', `partitions ${left.join(', ')} of topic ${topic} have no leader now`)
      }
      await this.#clock.sleep(RETRY_AFTER_MS * attempt)
      await this.#cluster.describe([topic])
    }
    return new Map([...found].filter(([, offset]) => offset >= 0))
  }

  /** Adds what could be learned to `found`; returns the partitions to ask for again. */
  async #listOnce(
    topic: string,
    partitions: readonly number[],
    timestamp: bigint,
    isolation: number,
    found: Map<number, number>
  ): Promise<readonly number[]> {
    const byLeader = Map.groupBy(partitions, partition => this.#cluster.leaderOf(topic, partition) ?? -1)
    const again: number[] = [...(byLeader.get(-1) ?? [])]
    for (const [leader, led] of byLeader) {
      if (leader < 0) continue
      const link = await this.#cluster.link('control', leader)
      const asked = led.map(partitionIndex => ({
        partitionIndex,
        currentLeaderEpoch: -1,
        timestamp
      }))
      const { topics } = await link.call(LIST_OFFSETS, CONSUMER, isolation, [{ name: topic, partitions: asked }])
      for (const { partitionIndex, errorCode, offset } of topics[0]?.partitions ?? []) {
        if (errorCode === 0) found.set(partitionIndex, Number(offset))
        else if (LEADER_HAS_MOVED.has(errorCode)) again.push(partitionIndex)
        else checkCode(errorCode)
      }
    }
    return again
  }
}

/**
 * UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, REPLICA_NOT_AVAILABLE, KAFKA_STORAGE_ERROR,
 * FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, OFFSET_NOT_AVAILABLE.
 */
const LEADER_HAS_MOVED: ReadonlySet<number> = new Set([3, 5, 6, 9, 56, 74, 75, 78])
