import type { Partition } from '../partition.ts'
import type { RecordBatch } from '../record-batch.ts'
import type { AbortedTransactions } from './aborted-transactions.ts'
import { decompress } from './codecs.ts'
import { crc32c } from './crc32c.ts'

/** Kafka message format v2: offsets of the fields within a batch, and the length of its header. */
const LENGTH = 8
const LEADER_EPOCH = 12
const MAGIC = 16
const CRC = 17
const ATTRIBUTES = 21
const LAST_OFFSET_DELTA = 23
const BASE_TIMESTAMP = 27
const MAX_TIMESTAMP = 35
const PRODUCER_ID = 43
const COUNT = 57
const HEADER_BYTES = 61

const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** Where one batch lies in a record set. `broken` says why its header cannot be believed. */
interface Extent {
  readonly start: number
  readonly end: number
  readonly broken: string | undefined
}

/**
 * The batch at `start`, or undefined where only a part of one is left: brokers cut the last batch at the byte limit.
 * With `isWhole` the first was asked for alone and must be there to its end.
 */
function extentAt(set: Buffer, start: number, isWhole: boolean): Extent | undefined {
  const cut = { start, end: set.length, broken: 'the batch ends before its length' }
  if (start + MAGIC + 1 > set.length) return isWhole && start === 0 ? cut : undefined
  const end = start + LENGTH + 4 + set.readInt32BE(start + LENGTH)
  const magic = set.readInt8(start + MAGIC)
  if (end > set.length) return isWhole && start === 0 ? cut : undefined
  if (magic !== 2) {
    const isPlausible = (magic === 0 || magic === 1) && end > start + MAGIC
    return { start, end: isPlausible ? end : set.length, broken: `record format ${magic} is not supported, only 2` }
  }
  if (end < start + HEADER_BYTES) return { start, end: set.length, broken: 'the batch is shorter than its header' }
  return { start, end, broken: undefined }
}

export interface RecordSetSummary {
  /** The next offset to fetch; `from` itself when no whole batch lies at or above it. */
  readonly nextOffset: number
  /** Leader epoch of the last batch; -1 when there is none. */
  readonly leaderEpoch: number
}

/** Walks the headers alone: what to fetch next is known before anything is decompressed. */
export function summarize(set: Buffer, from: number, isWhole = false): RecordSetSummary {
  let nextOffset = from
  let leaderEpoch = -1
  for (let extent = extentAt(set, 0, isWhole); extent !== undefined; extent = extentAt(set, extent.end, isWhole)) {
    nextOffset = Math.max(nextOffset, nextOffsetOf(set, extent, nextOffset))
    if (extent.broken === undefined) leaderEpoch = set.readInt32BE(extent.start + LEADER_EPOCH)
  }
  return { nextOffset, leaderEpoch }
}

/**
 * A broken header promises nothing: one offset is given up at a time. Nor does a wrong last offset lead over what
 * follows: the next batch of the set is always read from its beginning.
 */
function nextOffsetOf(set: Buffer, { start, end, broken }: Extent, from: number): number {
  if (broken !== undefined) return from + 1
  const next = offsetAt(set, start) + set.readInt32BE(start + LAST_OFFSET_DELTA) + 1
  const followingBase = end + HEADER_BYTES <= set.length ? offsetAt(set, end) : Infinity
  return followingBase > from ? Math.min(next, followingBase) : next
}

/** Exact below 2^53. */
const offsetAt = (set: Buffer, at: number): number => set.readInt32BE(at) * 0x1_0000_0000 + set.readUInt32BE(at + 4)

/** Thrown when a checksum does not match: worth another fetch before the batch is believed to be so on disk. */
export class ChecksumError extends Error {
  override readonly name = 'ChecksumError'
}

/**
 * Takes the batches of one partition's record set in order, decompressing each as it is asked for. Never throws for bad
 * bytes: what cannot be read is a batch of kind `corrupt` with its bytes.
 */
export class RecordSet {
  readonly partition: Partition
  readonly #set: Buffer
  readonly #aborted: AbortedTransactions
  readonly #isWhole: boolean
  #at = 0
  #nextOffset: number

  /** Records below `from` are left out: the first batch may begin before it. */
  constructor(partition: Partition, set: Buffer, from: number, aborted: AbortedTransactions, isWhole = false) {
    this.partition = partition
    this.#set = set
    this.#nextOffset = from
    this.#aborted = aborted
    this.#isWhole = isWhole
  }

  /** The offset after the last batch that was taken. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Undefined at the end. Throws ChecksumError, having taken nothing, unless `isBelieved`. */
  next(isBelieved: boolean): RecordBatch | undefined {
    for (;;) {
      const extent = extentAt(this.#set, this.#at, this.#isWhole)
      if (extent === undefined) return undefined
      const from = this.#nextOffset
      const nextOffset = nextOffsetOf(this.#set, extent, from)
      const batch = nextOffset <= from ? undefined : this.#read(extent, from, nextOffset, isBelieved)
      this.#at = extent.end
      if (batch === undefined) continue
      this.#nextOffset = nextOffset
      return batch
    }
  }

  #read({ start, end, broken }: Extent, from: number, nextOffset: number, isBelieved: boolean): RecordBatch {
    const set = this.#set
    const bytes = set.subarray(start, end)
    if (broken !== undefined) return this.#corrupt(bytes, from, nextOffset, broken)
    const baseOffset = offsetAt(set, start)
    if (crc32c(set.subarray(start + ATTRIBUTES, end)) !== set.readUInt32BE(start + CRC)) {
      if (!isBelieved) throw new ChecksumError(`checksum of the batch at offset ${baseOffset} does not match`)
      return this.#corrupt(bytes, from, nextOffset, 'the checksum does not match')
    }
    const attributes = set.readInt16BE(start + ATTRIBUTES)
    const count = set.readInt32BE(start + COUNT)
    if (count < 0 || count > nextOffset - baseOffset) {
      return this.#corrupt(bytes, from, nextOffset, `${count} records do not fit the batch's offsets`)
    }
    const body = set.subarray(start + HEADER_BYTES, end)
    const producerId = set.readBigInt64BE(start + PRODUCER_ID)
    if ((attributes & CONTROL) !== 0) {
      this.#aborted.onControl(producerId, body)
      return this.#skip(from, nextOffset)
    }
    const isAborted = (attributes & TRANSACTIONAL) !== 0 && this.#aborted.holds(producerId, nextOffset - 1)
    if (isAborted || count === 0) return this.#skip(from, nextOffset)
    try {
      const records = decompress(attributes & CODEC_MASK, body)
      const { at, left } = trimBelow(records, count, baseOffset, from)
      if (left === 0) return this.#skip(from, nextOffset)
      return {
        partition: this.partition,
        kind: 'data',
        baseOffset,
        nextOffset,
        count: left,
        baseTimestampMs: offsetAt(set, start + BASE_TIMESTAMP),
        logAppendTimeMs: (attributes & LOG_APPEND_TIME) === 0 ? undefined : offsetAt(set, start + MAX_TIMESTAMP),
        records: at === 0 ? records : records.subarray(at),
        reason: undefined
      }
    } catch (error) {
      return this.#corrupt(bytes, from, nextOffset, error instanceof Error ? error.message : String(error))
    }
  }

  #skip(baseOffset: number, nextOffset: number): RecordBatch {
    const { partition } = this
    return { ...EMPTY, partition, kind: 'skip', baseOffset, nextOffset }
  }

  #corrupt(records: Buffer, baseOffset: number, nextOffset: number, reason: string): RecordBatch {
    const { partition } = this
    return { ...EMPTY, partition, kind: 'corrupt', baseOffset, nextOffset, records, reason }
  }
}

const EMPTY = {
  count: 0,
  baseTimestampMs: 0,
  logAppendTimeMs: undefined,
  records: Buffer.alloc(0),
  reason: undefined
} as const

/**
 * Checks that the records' lengths fill `records` exactly, and finds the first at or above `from`. Compaction keeps a
 * batch's offsets while records leave it, and a fetch may begin in the middle of a batch.
 */
function trimBelow(records: Buffer, count: number, baseOffset: number, from: number): { at: number; left: number } {
  let firstAt = -1
  let left = 0
  let position = 0
  for (let index = 0; index < count; index++) {
    const start = position
    let byte = records[position++] ?? -1
    let length = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw new RangeError('record length is not a varint')
      byte = records[position++] ?? -1
      length |= (byte & 0x7f) << shift
    }
    if (byte < 0) throw new RangeError(`the batch ends after ${index} of ${count} records`)
    const bytes = (length >>> 1) ^ -(length & 1)
    const end = position + bytes
    if (bytes < MIN_RECORD_BYTES || end > records.length)
      throw new RangeError(`record length ${bytes} exceeds its batch`)
    if (firstAt < 0 && (baseOffset >= from || baseOffset + offsetDeltaAt(records, position) >= from)) {
      firstAt = start
      left = count - index
    }
    position = end
  }
  if (position !== records.length) throw new RangeError(`${records.length - position} bytes follow the last record`)
  return { at: Math.max(0, firstAt), left }
}

/** Attributes, timestamp, offset, key length, value length and header count take a byte each at least. */
const MIN_RECORD_BYTES = 6

/** The offset delta of the record whose attributes are at `at`: it follows the timestamp delta. */
function offsetDeltaAt(records: Buffer, at: number): number {
  let position = at + 1
  while ((records[position++] ?? 0) >= 0x80);
  let value = 0
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = records[position++] ?? 0
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return (value >>> 1) ^ -(value & 1)
}
