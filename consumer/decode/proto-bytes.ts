import { isUtf8 } from './utf8.ts'
import { WIRE, type Kind } from './proto-plan.ts'

/** Bytes that are no message of their schema, or one that is beyond what is read. */
export class ProtoError extends Error {
  override readonly name = 'ProtoError'
}

/** Messages in messages, and groups in groups: as many as other readers allow. */
export const MAX_DEPTH = 100
const TWO_32 = 2 ** 32

/**
 * Reads what Protobuf's messages consist of (protobuf.dev, "Encoding") in place into its public fields, never beyond
 * `end`. Throws ProtoError for what is not as it should be.
 */
export class ProtoBytes {
  bytes: Buffer = EMPTY
  position = 0
  end = 0
  /** Whole numbers, float and double, bool as 0 and 1, enum; fields by `tag`. */
  number = 0
  /** A whole number that is not safe; `number` then means nothing. */
  big: bigint | undefined
  /** Of string, bytes and all that is in a message of its own. */
  start = 0
  length = 0
  /** How the value after a tag lies in the bytes. */
  wire = 0
  #view: DataView = new DataView(new ArrayBuffer(0))
  #low = 0
  #high = 0

  reset(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.position = start
    this.end = end
  }

  /** The number of the next field, and its wire type. */
  tag(): void {
    this.#varint()
    this.wire = this.#low & 7
    this.number = this.#low >>> 3
    if (this.#high !== 0 || this.number === 0) throw new ProtoError('a field has no valid number')
  }

  // oxlint-disable-next-line max-lines-per-function -- one way to read each kind
  scalar(kind: Kind): void {
    this.big = undefined
    switch (kind) {
      case 'string':
        this.take()
        if (this.length > 0 && !isUtf8(this.bytes, this.start, this.start + this.length))
          throw new ProtoError('a string is not UTF-8')
        return
      case 'int64':
        this.#varint()
        this.#signed()
        return
      case 'int32':
      case 'enum':
        // Negative ones have ten bytes, of which the first 32 bits count.
        this.#varint()
        this.number = this.#low | 0
        return
      case 'double':
        this.number = this.#view.getFloat64(this.#skip(8), true)
        return
      case 'bool':
        this.#varint()
        this.number = this.#low === 0 && this.#high === 0 ? 0 : 1
        return
      case 'float':
        this.number = this.#view.getFloat32(this.#skip(4), true)
        return
      case 'uint32':
        this.#varint()
        this.number = this.#low
        return
      case 'sint32':
        this.#varint()
        this.number = (this.#low >>> 1) ^ -(this.#low & 1)
        return
      case 'uint64':
        this.#varint()
        this.#unsigned()
        return
      case 'sint64':
        this.#zigzag()
        return
      case 'fixed32':
        this.number = this.#view.getUint32(this.#skip(4), true)
        return
      case 'sfixed32':
        this.number = this.#view.getInt32(this.#skip(4), true)
        return
      case 'fixed64':
      case 'sfixed64':
        this.#low = this.#view.getUint32(this.#skip(8), true)
        this.#high = this.#view.getUint32(this.position - 4, true)
        if (kind === 'fixed64') this.#unsigned()
        else this.#signed()
        return
      case 'bytes':
      case 'message':
      case 'timestamp':
      case 'wrapper':
      case 'json':
        this.take()
    }
  }

  /** Bytes with their length before them. */
  take(): void {
    this.#varint()
    this.length = this.#low
    if (this.#high !== 0) throw new ProtoError('a length is beyond measure')
    this.start = this.#skip(this.length)
  }

  /** Passes over the value of an unknown field, whose tag was read. */
  pass(number: number, wire: number, depth: number): void {
    switch (wire) {
      case WIRE.VARINT:
        this.#varint()
        return
      case WIRE.FIXED64:
        this.#skip(8)
        return
      case WIRE.BYTES:
        this.take()
        return
      case WIRE.FIXED32:
        this.#skip(4)
        return
      case WIRE.GROUP: {
        if (depth >= MAX_DEPTH) throw new ProtoError(`it is nested deeper than ${MAX_DEPTH}`)
        for (this.tag(); this.wire !== WIRE.END_GROUP; this.tag()) this.pass(this.number, this.wire, depth + 1)
        if (this.number !== number) throw new ProtoError('a group ends that did not begin')
        return
      }
      default:
        throw new ProtoError('a field has no valid wire type')
    }
  }

  #skip(length: number): number {
    const start = this.position
    if (length > this.end - start) throw new ProtoError('it ends too early')
    this.position = start + length
    return start
  }

  #signed(): void {
    const high = this.#high | 0
    this.number = high * TWO_32 + this.#low
    if (!Number.isSafeInteger(this.number)) this.big = (BigInt(high) << 32n) | BigInt(this.#low)
  }

  #unsigned(): void {
    this.number = this.#high * TWO_32 + this.#low
    if (!Number.isSafeInteger(this.number)) this.big = (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }

  #zigzag(): void {
    this.#varint()
    const sign = -(this.#low & 1)
    this.#low = (((this.#low >>> 1) | (this.#high << 31)) ^ sign) >>> 0
    this.#high = (this.#high >>> 1) ^ sign
    this.#signed()
  }

  /** Up to 64 bits into `#low` and `#high`, both without sign. */
  #varint(): void {
    const { bytes, end } = this
    let at = this.position
    let byte = 0x80
    let low = 0
    let high = 0
    for (let shift = 0; byte >= 0x80; shift += 7) {
      if (at >= end) throw new ProtoError('it ends too early')
      byte = bytes[at++] as number
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else if (shift < 63) high |= bits << (shift - 32)
      else if (byte > 1) throw new ProtoError('a number exceeds 64 bits')
      else high |= bits << 31
    }
    this.position = at
    this.#low = low >>> 0
    this.#high = high >>> 0
  }
}

const EMPTY = Buffer.alloc(0)
