import { ERROR } from '../wire/error-codes.ts'
import { type BatchHeader, isCommit, isIntact, place, readHeader } from './batch.ts'
import { Epochs } from './epochs.ts'
import { Producers } from './producers.ts'
import type { BatchEntry, Segment } from './segment.ts'
import type { LogFolder } from './log-folder.ts'
import { memorySegment } from './segment.ts'
import { TransactionIndex } from './transaction-index.ts'

export interface LogOptions {
  /** Beyond it, whole segments are dropped at the old end; Infinity keeps everything. */
  readonly retentionBytes: number
  /** Keeps the log in files; in memory without it. */
  readonly folder?: LogFolder | undefined
}

export type Appended = { errorCode: 0; baseOffset: number } | { errorCode: number }

/** The log of one partition: batches as they came, found by offset. */
export class PartitionLog {
  readonly epochs: Epochs
  readonly transactions = new TransactionIndex()
  start = 0
  end = 0
  #segments: Segment[] = []
  #sizeBytes = 0
  #producers = new Producers()
  #options: LogOptions
  #watchers = new Set<() => void>()

  constructor(options: LogOptions) {
    this.#options = options
    const kept = options.folder?.load()
    this.epochs = new Epochs(kept?.epochs)
    if (kept === undefined) return
    this.#segments = kept.segments
    this.#sizeBytes = kept.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
    this.start = kept.start
    this.end = Math.max(kept.end, kept.start)
    for (const { header, bytes } of kept.batches) this.#note(header, bytes)
    this.transactions.clamp(this.start, this.end)
  }

  /** What read_committed may see. */
  get stableEnd(): number {
    return this.transactions.stableEnd(this.end)
  }

  /** The error code for a client that believes in this leader epoch (KIP-320); below 0 it believes in none. */
  checkLeaderEpoch(epoch: number): number {
    if (epoch < 0 || epoch === this.epochs.current) return ERROR.NONE
    return epoch < this.epochs.current ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH
  }

  /** Stores one batch in its next place. `batch` is changed in place. */
  append(batch: Buffer, logAppendTimeMs?: number): Appended {
    const header = readHeader(batch)
    if (header === undefined || header.sizeBytes !== batch.length) return { errorCode: ERROR.INVALID_RECORD }
    if (!isIntact(batch, header)) return { errorCode: ERROR.CORRUPT_MESSAGE }
    if (header.lastOffset < header.baseOffset || header.count < 0) return { errorCode: ERROR.INVALID_RECORD }
    if (header.producerId >= 0) {
      const { errorCode, storedAt } = this.#producers.check(header)
      if (errorCode !== ERROR.NONE) return { errorCode }
      if (storedAt !== undefined) return { errorCode: 0, baseOffset: storedAt }
    }
    const baseOffset = this.end
    place(batch, baseOffset, this.epochs.current, logAppendTimeMs)
    this.#store(batch)
    for (const wake of this.#watchers) wake()
    return { errorCode: 0, baseOffset }
  }

  /**
   * Bytes from the batch that holds `from`, up to the offset `to`, cut at `maxBytes` wherever that falls, as Kafka cuts
   * them; with `wholeFirst` the first batch is whole however large.
   */
  read(from: number, to: number, maxBytes: number, wholeFirst: boolean): readonly Buffer[] {
    const parts: Buffer[] = []
    let left = maxBytes
    for (let index = this.#segmentAt(from); index < this.#segments.length && left > 0; index++) {
      const segment = this.#segments[index] as Segment
      const first = segment.batches[firstReaching(segment.batches, from)]
      if (first === undefined) continue
      if (first.baseOffset >= to) break
      if (parts.length === 0 && wholeFirst) left = Math.max(left, first.sizeBytes)
      const length = Math.min(left, endPosition(segment, to) - first.position)
      parts.push(segment.read(first.position, length))
      left -= length
    }
    return parts
  }

  /** How many bytes a read of [from, to) would find, up to `enough`. */
  available(from: number, to: number, enough: number): number {
    let sum = 0
    for (let index = this.#segmentAt(from); index < this.#segments.length && sum < enough; index++) {
      const segment = this.#segments[index] as Segment
      const first = segment.batches[firstReaching(segment.batches, from)]
      if (first !== undefined && first.baseOffset < to) sum += endPosition(segment, to) - first.position
    }
    return sum
  }

  /** Every batch from the log start on, oldest first; `read` fetches its bytes. */
  *batches(): Generator<{ entry: BatchEntry; read: () => Buffer }> {
    for (const segment of this.#segments)
      for (const entry of segment.batches)
        if (entry.lastOffset >= this.start) yield { entry, read: () => segment.read(entry.position, entry.sizeBytes) }
  }

  /** Raises the log start: what lies below is gone, though it may still be read with the batch it shares. */
  deleteBefore(offset: number): void {
    this.start = Math.min(Math.max(this.start, offset), this.end)
    while (this.#segments.length > 0 && lastOffsetOf(this.#segments[0] as Segment) < this.start) this.#dropFirst()
    this.#changed()
  }

  /** Lowers the log end, as an unclean election does, under a new leader epoch. Batches across `offset` go wholly. */
  truncate(offset: number): void {
    while (this.#segments.length > 0) {
      const segment = this.#segments.at(-1) as Segment
      const kept = firstReaching(segment.batches, offset)
      const cutAt = segment.batches[kept]?.position ?? segment.sizeBytes
      this.#sizeBytes -= segment.sizeBytes - cutAt
      if (cutAt > 0) {
        segment.batches.length = kept
        segment.truncate(cutAt)
        break
      }
      this.#segments.pop()?.drop()
    }
    this.end = Math.min(this.end, offset)
    this.start = Math.min(this.start, this.end)
    this.epochs.bump(this.end)
    this.#changed()
    for (const wake of this.#watchers) wake()
  }

  /** Calls `wake` after each change that a waiting fetch could answer; returns how to end that. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake)
    return () => this.#watchers.delete(wake)
  }

  close(): void {
    for (const segment of this.#segments) segment.close()
  }

  /** Removes all it holds, files included; for a deleted topic. */
  drop(): void {
    for (const segment of this.#segments) segment.drop()
    this.#segments = []
    for (const wake of this.#watchers) wake()
  }

  #store(batch: Buffer): void {
    const header = readHeader(batch) as BatchHeader
    const segment = this.#segmentFor(batch.length)
    segment.batches.push({ ...entryOf(header), position: segment.sizeBytes })
    segment.append(batch)
    this.#sizeBytes += batch.length
    this.end = header.lastOffset + 1
    this.#note(header, batch)
    while (this.#sizeBytes > this.#options.retentionBytes && this.#segments.length > 1) {
      this.#dropFirst()
      this.start = Math.max(this.start, (this.#segments[0] as Segment).baseOffset)
      this.#changed()
    }
  }

  #note(header: BatchHeader, bytes: Buffer): void {
    this.#producers.remember(header)
    this.transactions.note(header, header.isControl && isCommit(bytes))
  }

  #segmentFor(sizeBytes: number): Segment {
    const last = this.#segments.at(-1)
    if (last?.hasRoomFor(sizeBytes)) return last
    const { folder } = this.#options
    const segment = folder ? folder.segment(this.end) : memorySegment(this.end, last?.sizeBytes ?? 0, sizeBytes)
    this.#segments.push(segment)
    return segment
  }

  #dropFirst(): void {
    const segment = this.#segments.shift() as Segment
    this.#sizeBytes -= segment.sizeBytes
    segment.drop()
  }

  #changed(): void {
    this.transactions.clamp(this.start, this.end)
    this.#options.folder?.save({ start: this.start, end: this.end, epochs: this.epochs.all() })
  }

  /** The index of the segment that may hold `offset`. */
  #segmentAt(offset: number): number {
    let low = 0
    let high = this.#segments.length
    while (low + 1 < high) {
      const middle = (low + high) >>> 1
      if ((this.#segments[middle] as Segment).baseOffset <= offset) low = middle
      else high = middle
    }
    return low
  }
}

/** The part of a header that the index of a segment keeps. */
export const entryOf = (header: BatchHeader): Omit<BatchEntry, 'position'> => ({
  baseOffset: header.baseOffset,
  lastOffset: header.lastOffset,
  maxTimestamp: header.maxTimestamp,
  leaderEpoch: header.leaderEpoch,
  sizeBytes: header.sizeBytes
})

const lastOffsetOf = (segment: Segment): number => segment.batches.at(-1)?.lastOffset ?? segment.baseOffset - 1

/** The position after the last batch that begins below `to`. */
function endPosition(segment: Segment, to: number): number {
  const last = segment.batches.at(-1)
  if (last === undefined || last.baseOffset < to) return segment.sizeBytes
  return segment.batches[firstReaching(segment.batches, to)]?.position ?? segment.sizeBytes
}

/** The index of the first batch whose last offset is at or above `offset`; the length when there is none. */
function firstReaching(batches: readonly BatchEntry[], offset: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((batches[middle] as BatchEntry).lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
