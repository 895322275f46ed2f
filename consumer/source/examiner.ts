import type { Clock } from '../../lib/clock.ts'
import { FatalError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { SourceLoss } from '../source.ts'
import type { Cluster } from './cluster.ts'
import type { Cursor } from './cursor.ts'
import type { FetchedPartition } from './fetch-request.ts'
import { divergence, rangeLoss, recreation } from './losses.ts'
import { EARLIEST, LATEST, READ_UNCOMMITTED, type TopicOffsets } from './topic-offsets.ts'
import { sourceError } from './trouble.ts'

const OFFSET_OUT_OF_RANGE = 1
const TOPIC_AUTHORIZATION_FAILED = 29
/** UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INCONSISTENT_TOPIC_ID: deleted, made anew, or not yet known there. */
const TOPIC_IS_ANOTHER: ReadonlySet<number> = new Set([3, 100, 103])
const RETRY_AFTER_MS = 200
/** An end of the log below the next offset is asked for again after this: a leader just elected may not know it yet. */
const CONFIRM_AFTER_MS = 500

/** Stands for an answer of UNKNOWN_TOPIC_ID, for what the metadata has shown before a fetch did. */
export const RECREATED: FetchedPartition = {
  topicKey: '',
  partition: 0,
  errorCode: 100,
  highWatermark: -1,
  lastStableOffset: -1,
  logStart: -1,
  divergingEndOffset: -1,
  aborted: [],
  records: undefined
}

/** Finds out why a partition cannot be read on: a loss, or something that passes. */
export class Examiner {
  readonly #cluster: Cluster
  readonly #offsets: TopicOffsets
  readonly #clock: Clock
  readonly #log: Log

  constructor(cluster: Cluster, offsets: TopicOffsets, clock: Clock, log: Log) {
    this.#cluster = cluster
    this.#offsets = offsets
    this.#clock = clock
    this.#log = log
  }

  /**
   * The loss that `answer` means for `cursor`, which is not fetched meanwhile; undefined when it passes. Throws
   * FatalError for what only a person can end.
   */
  async examine(cursor: Cursor, answer: FetchedPartition): Promise<SourceLoss | undefined> {
    const { version } = cursor
    cursor.isExamined = true
    try {
      const loss = await this.#findLoss(cursor, answer)
      if (cursor.version !== version) return undefined
      if (loss === undefined) cursor.retryAtMs = this.#clock.now() + RETRY_AFTER_MS
      else cursor.isLost = true
      return loss
    } catch (error) {
      const trouble = sourceError(error)
      if (trouble.name !== 'RetryableError') throw trouble
      cursor.retryAtMs = this.#clock.now() + RETRY_AFTER_MS
      this.#log.warn('a partition could not be examined', { partition: cursor.id, errorCode: answer.errorCode }, error)
      return undefined
    } finally {
      cursor.isExamined = false
    }
  }

  async #findLoss(
    cursor: Cursor,
    { errorCode, divergingEndOffset }: FetchedPartition
  ): Promise<SourceLoss | undefined> {
    const { partition, fetchOffset } = cursor
    if (errorCode === TOPIC_AUTHORIZATION_FAILED) {
      throw new FatalError(
        'SourceAuthorizationFailed',
        `The user of spec.source.security may no longer read topic ${partition.topic}: allow Read and Describe on it.`
      )
    }
    if (errorCode === 0 && divergingEndOffset >= 0) return divergence(partition, fetchOffset, divergingEndOffset)
    const topics = await this.#cluster.describe([partition.topic])
    if (errorCode === 0 || errorCode === OFFSET_OUT_OF_RANGE) return this.#rangeLoss(cursor)
    const found = topics.get(partition.topic)
    if (TOPIC_IS_ANOTHER.has(errorCode) && found !== undefined) return this.recreated(cursor)
    this.#log.debug('a partition is not readable now', { partition: cursor.id, errorCode })
    return undefined
  }

  /** The loss if the topic's id is no longer the one that was read. The cursor goes over to the new topic. */
  async recreated(cursor: Cursor): Promise<SourceLoss | undefined> {
    const { partition, fetchOffset, version } = cursor
    const topicId = this.#cluster.topic(partition.topic)?.topicId ?? ''
    if (topicId === '' || partition.topicId === '' || topicId === partition.topicId) return undefined
    const starts = await this.#offsets.list(partition.topic, [partition.partition], EARLIEST)
    if (cursor.version !== version) return undefined
    cursor.partition = { ...partition, topicId }
    return recreation(cursor.partition, fetchOffset, starts.get(partition.partition) ?? 0)
  }

  async #rangeLoss(cursor: Cursor): Promise<SourceLoss | undefined> {
    const { partition, fetchOffset } = cursor
    const recreated = await this.recreated(cursor)
    if (recreated !== undefined) return recreated
    const first = rangeLoss(partition, fetchOffset, await this.#range(cursor))
    if (first?.kind !== 'BeyondEnd') return first
    await this.#clock.sleep(CONFIRM_AFTER_MS)
    return rangeLoss(partition, fetchOffset, await this.#range(cursor))
  }

  async #range({ partition: { topic, partition } }: Cursor): Promise<{ logStart: number; logEnd: number }> {
    const starts = await this.#offsets.list(topic, [partition], EARLIEST)
    const ends = await this.#offsets.list(topic, [partition], LATEST, READ_UNCOMMITTED)
    return { logStart: starts.get(partition) ?? 0, logEnd: ends.get(partition) ?? 0 }
  }
}
