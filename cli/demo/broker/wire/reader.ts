/** What the protocol writes where there is no id. */
export const EMPTY_UUID = '00000000-0000-0000-0000-000000000000'

/** Reads the primitive types of Kafka's protocol. Throws RangeError where the bytes end too early. */
export class Reader {
  readonly bytes: Buffer
  readonly version: number
  /** Compact lengths and tagged fields (KIP-482). */
  readonly flexible: boolean
  position: number

  constructor(bytes: Buffer, version: number, flexible: boolean, position = 0) {
    this.bytes = bytes
    this.version = version
    this.flexible = flexible
    this.position = position
  }

  int8(): number {
    return this.bytes.readInt8(this.#advance(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#advance(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#advance(4))
  }

  /** Exact within 2^53, which holds for offsets, times and producer ids. */
  int64(): number {
    return Number(this.bytes.readBigInt64BE(this.#advance(8)))
  }

  uuid(): string {
    const hex = this.take(16).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes.readUInt8(this.#advance(1))
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a varint is longer than 5 bytes')
  }

  string(): string | null {
    const length = this.flexible ? this.unsignedVarint() - 1 : this.int16()
    return length < 0 ? null : this.take(length).toString('utf8')
  }

  /** The bytes themselves, not a copy. */
  byteString(): Buffer | null {
    const length = this.flexible ? this.unsignedVarint() - 1 : this.int32()
    return length < 0 ? null : this.take(length)
  }

  array<T>(item: () => T): T[] | null {
    const length = this.flexible ? this.unsignedVarint() - 1 : this.int32()
    if (length < 0) return null
    if (length > this.bytes.length - this.position) throw new RangeError(`an array of ${length} exceeds its message`)
    return Array.from({ length }, item)
  }

  /** Visits each tagged field; what `read` leaves of it is skipped. */
  taggedFields(read: (tag: number) => void): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      const tag = this.unsignedVarint()
      const size = this.unsignedVarint()
      const end = this.#advance(size) + size
      this.position = end - size
      read(tag)
      this.position = end
    }
  }

  take(length: number): Buffer {
    const start = this.#advance(length)
    return this.bytes.subarray(start, start + length)
  }

  #advance(length: number): number {
    const start = this.position
    if (length < 0 || start + length > this.bytes.length) throw new RangeError('the message ends inside a field')
    this.position += length
    return start
  }
}
