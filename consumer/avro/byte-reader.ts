/** Bytes that are not what they should be. */
export class AvroError extends Error {
  override readonly name = 'AvroError'
}

/** What a reader takes in all of its bytes. */
export const MAX_EMPTY_ITEMS = 1 << 16

/** Low bits of a long that are kept as a number while the others are kept apart. */
const LOW = 2 ** 48

/** Reads Avro's primitives (Avro 1.12, "Binary Encoding"); never beyond its bytes. Throws AvroError. */
export class ByteReader {
  readonly bytes: Buffer
  position: number
  /** Items without bytes of their own (null, records without fields) that may still come: bytes bound all others. */
  emptyLeft = MAX_EMPTY_ITEMS
  readonly #end: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.#end = end
  }

  get left(): number {
    return this.#end - this.position
  }

  byte(): number {
    if (this.position >= this.#end) throw new AvroError('the bytes end too early')
    return this.bytes[this.position++] as number
  }

  /** Moves on by `length` bytes and gives where they begin. */
  skip(length: number): number {
    if (length < 0 || length > this.left) throw new AvroError(`a length of ${length} exceeds the bytes`)
    const start = this.position
    this.position += length
    return start
  }

  /** A copy. */
  take(length: number): Buffer {
    const start = this.skip(length)
    return Buffer.from(this.bytes.subarray(start, start + length))
  }

  int(): number {
    const value = this.long()
    if (value !== Number(value) || value < -0x8000_0000 || value > 0x7fff_ffff)
      throw new AvroError('an int exceeds 32 bits')
    return value
  }

  /** Number while that is exact, bigint beyond. */
  long(): number | bigint {
    let byte = this.byte()
    let low = byte & 0x7f
    let factor = 0x80
    for (; byte >= 0x80 && factor < 2 * LOW; factor *= 0x80) {
      byte = this.byte()
      low += (byte & 0x7f) * factor
    }
    let high = 0
    for (let weight = 1; byte >= 0x80; weight *= 0x80) {
      byte = this.byte()
      if (weight === 0x4000 && byte > 1) throw new AvroError('a long exceeds 64 bits')
      high += (byte & 0x7f) * weight
    }
    const isNegative = low % 2 === 1
    const magnitude = (low - (isNegative ? 1 : 0)) / 2
    if (high < 16) return isNegative ? -(high * LOW + magnitude) - 1 : high * LOW + magnitude
    const wide = BigInt(high) * BigInt(LOW) + BigInt(magnitude)
    const value = isNegative ? -wide - 1n : wide
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }

  /** A length or count: not negative, and not beyond what can be. */
  size(): number {
    const value = this.long()
    if (typeof value === 'bigint' || value < 0) throw new AvroError(`a length of ${value} cannot be`)
    return value
  }

  float(): number {
    return this.bytes.readFloatLE(this.skip(4))
  }

  double(): number {
    return this.bytes.readDoubleLE(this.skip(8))
  }

  boolean(): boolean {
    const byte = this.byte()
    if (byte > 1) throw new AvroError('a boolean is neither 0 nor 1')
    return byte === 1
  }
}
