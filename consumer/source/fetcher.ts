import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import type { PartitionId } from '../partition.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import type { Cluster } from './cluster.ts'
import type { Cursor } from './cursor.ts'
import { type FetchedPartition, type PartitionToFetch, fetchRecords, fetchesById } from './fetch-request.ts'
import { RecordSet, summarize } from './record-set.ts'
import { Waker } from './waker.ts'

/** How long a broker may wait for data: the time within which a seek or an opened gate is noticed. */
const MAX_WAIT_MS = 500
const IDLE_MS = 1000

export interface FetcherOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly cursors: ReadonlyMap<PartitionId, Cursor>
  readonly limits: { readonly fetchBytes: number; readonly partitionFetchBytes: number }
  readonly isOpen: (partition: PartitionId) => boolean
  /** Data lies ready to be taken. */
  readonly onData: () => void
  /** The answer for one partition was an error, or says that the log is not what it was. */
  readonly onRefused: (cursor: Cursor, answer: FetchedPartition) => void
  /** A broker could not be asked (or, with undefined, could). */
  readonly onTrouble: (error: unknown) => void
  readonly onNames: () => void
}

/** One partition's part of an answer. */
export interface Chunk {
  readonly cursor: Cursor
  readonly version: number
  readonly records: RecordSet
}

interface Loop {
  readonly waker: Waker
  /** The one answer that waits to be taken; while there is one, the broker is not asked. */
  waiting: Chunk[] | undefined
}

/**
 * Fetches from every broker that leads an assigned partition: per broker at most one request in flight and one answer
 * waiting, so that fetching overlaps with decoding and memory stays within a few answers.
 */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #loops = new Map<number, Loop>()
  readonly #stop = new AbortController()
  #taken: Chunk[] = []
  #served = 0

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  /** Something has changed: positions, gates or leaders. */
  wake(): void {
    if (this.#stop.signal.aborted) return
    const { cluster, cursors, clock } = this.#options
    for (const { partition } of cursors.values()) {
      const node = cluster.leaderOf(partition.topic, partition.partition)
      if (node === undefined || this.#loops.has(node)) continue
      const loop: Loop = { waker: new Waker(clock), waiting: undefined }
      this.#loops.set(node, loop)
      void this.#run(node, loop)
    }
    for (const { waker } of this.#loops.values()) waker.wake()
  }

  /** The next chunk in order, if one lies ready. Brokers take turns. */
  take(): Chunk | undefined {
    if (this.#taken.length === 0) {
      for (const [node, loop] of this.#loops) {
        if (loop.waiting === undefined) continue
        this.#taken = loop.waiting.reverse()
        loop.waiting = undefined
        loop.waker.wake()
        this.#loops.delete(node)
        this.#loops.set(node, loop)
        break
      }
    }
    return this.#taken.pop()
  }

  get hasData(): boolean {
    return this.#taken.length > 0 || [...this.#loops.values()].some(({ waiting }) => waiting !== undefined)
  }

  close(): void {
    this.#stop.abort()
    for (const { waker } of this.#loops.values()) waker.wake()
  }

  async #run(node: number, loop: Loop): Promise<void> {
    const { clock, onTrouble } = this.#options
    for (let attempt = 0; !this.#stop.signal.aborted;) {
      const wanted = loop.waiting === undefined ? this.#wanted(node) : []
      if (wanted.length === 0) {
        await loop.waker.wait(IDLE_MS)
        continue
      }
      try {
        await this.#fetch(node, loop, wanted)
        attempt = 0
        onTrouble(undefined)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        attempt++
        onTrouble(error)
        await clock.sleep(backoffMs(attempt, clock.random(), { firstMs: 100, maxMs: 5000 }), this.#stop.signal)
      }
    }
  }

  /**
   * What to ask a node for, longest unserved first. A batch that did not fit is asked for alone: the first batch of an
   * answer comes whole whatever the limits (KIP-74), and more of such a size would only fill memory.
   */
  #wanted(node: number): readonly Cursor[] {
    const { cluster, cursors, clock, isOpen } = this.#options
    const nowMs = clock.now()
    const wanted = [...cursors.values()].filter(
      cursor =>
        cluster.leaderOf(cursor.partition.topic, cursor.partition.partition) === node &&
        cursor.isFetchable(node, nowMs) &&
        isOpen(cursor.id)
    )
    const stuck = wanted.find(({ isStuck }) => isStuck)
    return stuck === undefined ? wanted.sort((a, b) => a.servedAt - b.servedAt) : [stuck]
  }

  async #fetch(node: number, loop: Loop, wanted: readonly Cursor[]): Promise<void> {
    const { cluster, limits, onData, onNames } = this.#options
    const versions = new Map(wanted.map(cursor => [cursor, cursor.version]))
    for (const cursor of wanted) cursor.isInFlight = true
    try {
      const link = await cluster.link('fetch', node)
      const byId = fetchesById(link)
      if (!byId) onNames()
      const brokers = Math.max(1, this.#loops.size)
      const answers = await fetchRecords(
        link,
        wanted.map(cursor => this.#request(cursor)),
        {
          maxWaitMs: MAX_WAIT_MS,
          maxBytes: Math.max(limits.partitionFetchBytes, Math.floor(limits.fetchBytes / brokers)),
          partitionMaxBytes: limits.partitionFetchBytes
        }
      )
      const keyOf = ({ partition: { topic, topicId, partition } }: Cursor) => `${byId ? topicId : topic}/${partition}`
      const byKey = new Map(wanted.map(cursor => [keyOf(cursor), cursor]))
      const chunks: Chunk[] = []
      for (const answer of answers) {
        const cursor = byKey.get(`${answer.topicKey}/${answer.partition}`)
        if (cursor === undefined || cursor.version !== versions.get(cursor)) continue
        const chunk = this.#accept(cursor, answer, node)
        if (chunk !== undefined) chunks.push(chunk)
      }
      if (chunks.length === 0) return
      loop.waiting = chunks
      onData()
    } finally {
      for (const cursor of wanted) cursor.isInFlight = false
    }
  }

  #request({ partition, fetchOffset, lastFetchedEpoch }: Cursor): PartitionToFetch {
    const { partitions } = this.#options.cluster.topic(partition.topic) ?? { partitions: [] }
    const leaderEpoch = partitions[partition.partition]?.leaderEpoch ?? -1
    return { ...partition, fetchOffset, lastFetchedEpoch, leaderEpoch }
  }

  #accept(cursor: Cursor, answer: FetchedPartition, node: number): Chunk | undefined {
    const { errorCode, records, logStart, aborted, divergingEndOffset, lastStableOffset } = answer
    const from = cursor.fetchOffset
    if (errorCode !== 0 || divergingEndOffset >= 0 || isTruncated(answer, from)) {
      this.#options.onRefused(cursor, answer)
      return undefined
    }
    cursor.logStart = logStart
    cursor.endOffset = lastStableOffset
    if (records === undefined) return undefined
    const isWhole = cursor.isStuck
    const { nextOffset, leaderEpoch } = summarize(records, from, isWhole)
    cursor.isStuck = nextOffset === from
    if (cursor.isStuck) return undefined
    cursor.fetchOffset = nextOffset
    if (leaderEpoch >= 0) cursor.lastFetchedEpoch = leaderEpoch
    cursor.pending++
    cursor.pendingNode = node
    cursor.servedAt = ++this.#served
    const set = new RecordSet(cursor.partition, records, from, new AbortedTransactions(aborted), isWhole)
    return { cursor, version: cursor.version, records: set }
  }
}

/** Whether records from `from` on were deleted before they were read; the answer may still hold what was just deleted. */
function isTruncated({ logStart, records }: FetchedPartition, from: number): boolean {
  if (logStart <= from) return false
  return records === undefined || records.length < 8 || Number(records.readBigInt64BE(0)) > from
}
