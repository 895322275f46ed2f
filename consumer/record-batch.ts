import type { Partition } from './partition.ts'

/** One Kafka record batch (magic 2), decompressed: bytes that are walked once, never an object per record. */
export interface RecordBatch {
  readonly partition: Partition
  /**
   * data: `records` hold `count` records. skip: nothing for tables in it (control records, an aborted transaction), only
   * the offset moves. corrupt: it cannot be decompressed or parsed; `records` are its bytes as they came.
   */
  readonly kind: 'data' | 'skip' | 'corrupt'
  readonly baseOffset: number
  /** The next offset to read after this batch. */
  readonly nextOffset: number
  readonly count: number
  readonly baseTimestampMs: number
  /** Set when the topic keeps the time of appending; it then holds for every record. */
  readonly logAppendTimeMs: number | undefined
  readonly records: Buffer
  /** Why the batch is corrupt. */
  readonly reason: string | undefined
}

/**
 * Walks the records of a data batch in place. After `next()` returned true the public fields describe one record; all
 * positions are into `bytes`, lengths of -1 mean null. Layout: Kafka message format v2.
 */
export class RecordCursor {
  bytes: Buffer = Buffer.alloc(0)
  offset = 0
  timestampMs = 0
  keyStart = 0
  keyLength = -1
  valueStart = 0
  valueLength = -1
  headersStart = 0
  headerCount = 0

  #position = 0
  #remaining = 0
  #baseOffset = 0
  #baseTimestampMs = 0
  #logAppendTimeMs: number | undefined

  /** Starts at the first record of `batch`, which must be of kind `data`. */
  reset(batch: RecordBatch): void {
    this.bytes = batch.records
    this.#position = 0
    this.#remaining = batch.count
    this.#baseOffset = batch.baseOffset
    this.#baseTimestampMs = batch.baseTimestampMs
    this.#logAppendTimeMs = batch.logAppendTimeMs
  }

  /** Moves to the next record. Throws RangeError when the bytes are not what the batch promises. */
  next(): boolean {
    if (this.#remaining === 0) return false
    this.#remaining--
    const length = this.#varint()
    const end = this.#position + length
    if (length < 0 || end > this.bytes.length) throw new RangeError(`record length ${length} exceeds its batch`)
    this.#position++ // attributes: none are defined
    const timestampDelta = this.#varlong()
    this.offset = this.#baseOffset + this.#varint()
    this.timestampMs = this.#logAppendTimeMs ?? this.#baseTimestampMs + timestampDelta
    this.keyLength = this.#varint()
    this.keyStart = this.#position
    if (this.keyLength > 0) this.#position += this.keyLength
    this.valueLength = this.#varint()
    this.valueStart = this.#position
    if (this.valueLength > 0) this.#position += this.valueLength
    this.headerCount = this.#varint()
    this.headersStart = this.#position
    if (this.#position > end || this.headerCount < 0) throw new RangeError('record fields exceed the record')
    this.#position = end
    return true
  }

  /** Calls `visit` with the positions of each header; a `valueLength` of -1 is null. */
  forEachHeader(visit: (keyStart: number, keyLength: number, valueStart: number, valueLength: number) => void): void {
    const after = this.#position
    this.#position = this.headersStart
    for (let index = 0; index < this.headerCount; index++) {
      const keyLength = this.#varint()
      const keyStart = this.#position
      this.#position += keyLength
      const valueLength = this.#varint()
      const valueStart = this.#position
      if (valueLength > 0) this.#position += valueLength
      if (keyLength < 0 || this.#position > after) throw new RangeError('headers exceed the record')
      visit(keyStart, keyLength, valueStart, valueLength)
    }
    this.#position = after
  }

  /** A zigzag varint of at most 32 bits. */
  #varint(): number {
    const { bytes } = this
    let byte = bytes[this.#position++] as number
    let value = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28 || this.#position >= bytes.length) throw new RangeError('varint exceeds its bytes')
      byte = bytes[this.#position++] as number
      value |= (byte & 0x7f) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }

  /** A zigzag varint of up to 64 bits, exact below 2^53. */
  #varlong(): number {
    const { bytes } = this
    let byte = bytes[this.#position++] as number
    let value = byte & 0x7f
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      if (factor > 2 ** 63 || this.#position >= bytes.length) throw new RangeError('varlong exceeds its bytes')
      byte = bytes[this.#position++] as number
      value += (byte & 0x7f) * factor
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
