import { AvroError, MAX_EMPTY_ITEMS } from '../avro/byte-reader.ts'
import { isUtf8 } from './utf8.ts'

/** Low bits of a long, in seven bytes, without that of the sign. */
const LOW = 2 ** 48

/**
 * Reads Avro's primitives in place (Avro 1.12, "Binary Encoding") into its public fields, never beyond the value.
 * Throws AvroError for what is not as it should be. Nothing is allocated but what is rare.
 */
export class AvroBytes {
  bytes: Buffer = Buffer.alloc(0)
  position = 0
  /**
   * INT, LONG, FLOAT, DOUBLE, BOOLEAN as 0 and 1, ENUM and UNION as index; dates in days, times in microseconds; short
   * decimals.
   */
  number = 0
  /** A whole number that is not safe; `number` then means nothing. */
  big: bigint | undefined
  /** STRING, BYTES, FIXED, UUID, decimals. */
  start = 0
  length = 0
  protected end = 0
  protected emptyLeft = 0
  view: DataView = new DataView(new ArrayBuffer(0))

  /** Starts at the first byte of a value. */
  reset(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.position = start
    this.end = end
    this.emptyLeft = MAX_EMPTY_ITEMS
  }

  /** Goes back to a place that was passed. */
  moveTo(position: number): void {
    this.position = position
    this.emptyLeft = MAX_EMPTY_ITEMS
  }

  expectEnd(): void {
    if (this.position !== this.end) throw new AvroError(`${this.end - this.position} bytes follow the value`)
  }

  index(count: number): number {
    this.long()
    const index = this.number
    if (this.big !== undefined || index < 0 || index >= count)
      throw new AvroError(`an index is none of 0 to ${count - 1}`)
    return index
  }

  /** How many items come next in an array or a map; 0 at its end. */
  block(): number {
    this.long()
    if (this.number === 0 && this.big === undefined) return 0
    const isSized = this.big === undefined ? this.number < 0 : this.big < 0n
    const count = this.big === undefined ? Math.abs(this.number) : Infinity
    // Then the length of the block in bytes, for those who pass over it without a look.
    if (isSized) this.long()
    if (count > this.end - this.position + MAX_EMPTY_ITEMS) throw new AvroError('an array or a map exceeds the value')
    return count
  }

  text(): void {
    this.takeBytes()
    const { bytes, start, length } = this
    if (length > 0 && !isUtf8(bytes, start, start + length)) throw new AvroError('a string is not UTF-8')
  }

  double(): void {
    const at = this.take(8)
    this.number = this.view.getFloat64(at, true)
  }

  float(): void {
    const at = this.take(4)
    this.number = this.view.getFloat32(at, true)
  }

  boolean(): void {
    const byte = this.bytes[this.take(1)] as number
    if (byte > 1) throw new AvroError('a boolean is neither 0 nor 1')
    this.number = byte
  }

  countEmpty(): void {
    if (--this.emptyLeft < 0) throw new AvroError('there are too many items without bytes')
  }

  /** Moves on by `length` bytes and gives where they begin. */
  take(length: number): number {
    const start = this.position
    if (length > this.end - start) throw new AvroError('the value ends too early')
    this.position = start + length
    return start
  }

  takeBytes(): void {
    this.long()
    const length = this.number
    if (this.big !== undefined || length < 0) throw new AvroError('a length is negative or beyond measure')
    this.start = this.take(length)
    this.length = length
  }

  int(): void {
    this.long()
    const value = this.number
    if (this.big !== undefined || value !== (value | 0)) throw new AvroError('an int exceeds 32 bits')
  }

  /** A zigzag varint of up to 64 bits, into `number` or `big`. */
  long(): void {
    const { bytes } = this
    const start = this.position
    this.big = undefined
    if (start >= this.end) throw new AvroError('the value ends too early')
    let byte = bytes[start] as number
    if (byte < 0x80) {
      this.position = start + 1
      this.number = (byte >>> 1) ^ -(byte & 1)
      return
    }
    // Four bytes have 28 bits, for which whole numbers of 32 bits do.
    let low = byte & 0x7f
    let at = start + 1
    for (let shift = 7; shift < 28; shift += 7) {
      if (at >= this.end) throw new AvroError('the value ends too early')
      byte = bytes[at++] as number
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        this.number = (low >>> 1) ^ -(low & 1)
        return
      }
    }
    this.#longer(low, at)
  }

  /** The bytes of a long after the first four, whose bits are `low`. */
  #longer(low: number, start: number): void {
    const { bytes } = this
    const end = this.end
    let at = start
    let byte = 0x80
    let sum = low
    for (let factor = 2 ** 28; byte >= 0x80 && factor < 2 * LOW; factor *= 0x80) {
      if (at >= end) throw new AvroError('the value ends too early')
      byte = bytes[at++] as number
      sum += (byte & 0x7f) * factor
    }
    let high = 0
    for (let weight = 1; byte >= 0x80; weight *= 0x80) {
      if (at >= end) throw new AvroError('the value ends too early')
      byte = bytes[at++] as number
      if (weight === 0x4000 && byte > 1) throw new AvroError('a long exceeds 64 bits')
      high += (byte & 0x7f) * weight
    }
    this.position = at
    const isNegative = sum % 2 === 1
    const magnitude = (sum - (isNegative ? 1 : 0)) / 2
    if (high < 16) {
      this.number = isNegative ? -(high * LOW + magnitude) - 1 : high * LOW + magnitude
      return
    }
    const wide = BigInt(high) * BigInt(LOW) + BigInt(magnitude)
    this.whole(isNegative ? -wide - 1n : wide)
  }

  /** Takes a whole number in the form that fits it. */
  whole(value: bigint): void {
    const number = Number(value)
    if (Number.isSafeInteger(number)) this.number = number
    else this.big = value
  }
}
