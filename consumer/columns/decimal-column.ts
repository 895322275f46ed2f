import type { Leaf } from '../parquet/leaves.ts'
import { decimalBytes, fitsPrecision, parseDecimal, unscaledOf } from './decimal.ts'
import type { DecimalType } from './schema.ts'
import { WidthColumn } from './width-column.ts'

/**
 * Decimals by their unscaled values, in as few bytes as the precision needs: whole numbers of 4 or 8 bytes, least byte first,
 * else big-endian two's complement. That the value has no more digits than the type is the caller's to know.
 */
export class DecimalColumn extends WidthColumn {
  readonly type: DecimalType
  readonly #isBigEndian: boolean
  #least: Buffer | undefined
  #greatest: Buffer | undefined

  constructor(leaf: Leaf, type: DecimalType) {
    super(leaf, decimalBytes(type.precision))
    this.type = type
    this.#isBigEndian = this.width > 8
  }

  /** `unscaled` is a safe integer. */
  append(unscaled: number, definition = this.leaf.maxDefinition, repetition = 0): void {
    const at = this.reserve(repetition)
    const { buffer, width } = this
    const low = unscaled | 0
    if (width === 4) buffer.writeInt32LE(low, at)
    else {
      const high = Math.floor(unscaled / 2 ** 32)
      if (this.#isBigEndian) {
        buffer.fill(unscaled < 0 ? 0xff : 0, at, at + width - 8)
        buffer.writeInt32BE(high, at + width - 8)
        buffer.writeInt32BE(low, at + width - 4)
      } else {
        buffer.writeInt32LE(low, at)
        buffer.writeInt32LE(high, at + 4)
      }
    }
    this.present(definition, repetition)
    if (this.leaf.bounded) this.#widen(at)
  }

  appendBig(unscaled: bigint, definition = this.leaf.maxDefinition, repetition = 0): void {
    const at = this.reserve(repetition)
    const { buffer, width } = this
    let rest = unscaled
    for (let index = 0; index < width; index++) {
      buffer[at + (this.#isBigEndian ? width - 1 - index : index)] = Number(rest & 0xffn)
      rest >>= 8n
    }
    this.present(definition, repetition)
    if (this.leaf.bounded) this.#widen(at)
  }

  /** Big-endian two's complement of any length, as Avro has it; none is 0. */
  appendBytes(
    source: Uint8Array,
    start: number,
    length: number,
    definition = this.leaf.maxDefinition,
    repetition = 0
  ): void {
    const at = this.reserve(repetition)
    const { buffer, width } = this
    const sign = length > 0 && (source[start] as number) >= 0x80 ? 0xff : 0
    const last = start + length - 1
    for (let index = 0; index < width; index++) {
      const byte = index < length ? (source[last - index] as number) : sign
      buffer[at + (this.#isBigEndian ? width - 1 - index : index)] = byte
    }
    this.present(definition, repetition)
    if (this.leaf.bounded) this.#widen(at)
  }

  /** An unscaled bigint, its big-endian bytes, or the number as text. */
  override appendValue(value: unknown, definition: number, repetition: number): void {
    const { precision, scale } = this.type
    const unscaled =
      typeof value === 'string'
        ? parseDecimal(value, precision, scale)
        : value instanceof Uint8Array
          ? unscaledOf(value, 0, value.length)
          : value
    if (typeof unscaled !== 'bigint') throw new TypeError(`a column of decimals was given ${typeof value}`)
    if (!fitsPrecision(unscaled, precision)) throw new TypeError(`a decimal has more than ${precision} digits`)
    this.appendBig(unscaled, definition, repetition)
  }

  override min(): bigint | undefined {
    return this.#least && this.#valueOf(this.#least)
  }

  override max(): bigint | undefined {
    return this.#greatest && this.#valueOf(this.#greatest)
  }

  #widen(at: number): void {
    const { buffer, width } = this
    if (this.#least === undefined || this.#greatest === undefined) {
      this.#least = Buffer.from(buffer.subarray(at, at + width))
      this.#greatest = Buffer.from(this.#least)
    } else if (this.#compare(at, this.#least) < 0) buffer.copy(this.#least, 0, at, at + width)
    else if (this.#compare(at, this.#greatest) > 0) buffer.copy(this.#greatest, 0, at, at + width)
  }

  /** The greatest byte carries the sign. */
  #compare(at: number, bound: Buffer): number {
    const { buffer, width } = this
    const [first, step] = this.#isBigEndian ? [0, 1] : [width - 1, -1]
    const signed = ((buffer[at + first] as number) << 24) - ((bound[first] as number) << 24)
    if (signed !== 0) return signed
    for (let left = width - 1, index = first + step; left > 0; left--, index += step) {
      const difference = (buffer[at + index] as number) - (bound[index] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  #valueOf(bytes: Buffer): bigint {
    return unscaledOf(this.#isBigEndian ? bytes : Buffer.from(bytes).reverse(), 0, this.width)
  }
}
