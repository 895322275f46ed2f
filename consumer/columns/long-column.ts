import { packDeltas } from '../parquet/delta-packing.ts'
import { LEVEL_ROOM, type PageValues } from '../parquet/page.ts'
import { LeafColumn, PAGE_ENTRIES } from './leaf-column.ts'

const FIRST_CAPACITY = 64
const ONE = new Float64Array(1)

/**
 * 64-bit integers: long, and timestamps and times in microseconds. Numbers are kept as doubles while they are safe integers; the
 * first one that is not turns its page to bigints.
 */
export class LongColumn extends LeafColumn {
  #values = new Float64Array(0)
  #wide: BigInt64Array | undefined
  #length = 0
  /**
   * Apart from those of bigints: fields that may be either would keep each new bound as an object, and where values
   * ascend each is one.
   */
  #least = Infinity
  #greatest = -Infinity
  #leastWide: bigint | undefined
  #greatestWide: bigint | undefined

  /** `value` is a safe integer. */
  append(value: number, definition = this.leaf.maxDefinition, repetition = 0): void {
    ONE[0] = value
    this.appendFrom(ONE, 0, definition, repetition)
  }

  /**
   * As `append` of a number in an array, which costs less: of a double that is an argument the engine makes an object.
   * A record of 20 fields with seven of them then took 6 % longer.
   */
  appendFrom(source: Float64Array, index: number, definition = this.leaf.maxDefinition, repetition = 0): void {
    if (this.entries >= PAGE_ENTRIES && repetition === 0) this.close()
    const value = source[index] as number
    if (this.#wide !== undefined) {
      this.appendBig(BigInt(value), definition, repetition)
      return
    }
    if (this.#length === this.#values.length) this.#grow()
    this.#values[this.#length++] = value
    this.present(definition, repetition)
    if (value < this.#least) this.#least = value
    if (value > this.#greatest) this.#greatest = value
  }

  /** Any integer of 64 bits with sign. */
  appendBig(value: bigint, definition = this.leaf.maxDefinition, repetition = 0): void {
    if (this.entries >= PAGE_ENTRIES && repetition === 0) this.close()
    const number = Number(value)
    if (Number.isSafeInteger(number) && this.#wide === undefined) {
      this.append(number, definition, repetition)
      return
    }
    this.#wide ??= BigInt64Array.from(this.#values, BigInt)
    if (this.#length === this.#wide.length) {
      const larger = new BigInt64Array(Math.max(FIRST_CAPACITY, this.#length * 2))
      larger.set(this.#wide)
      this.#wide = larger
    }
    this.#wide[this.#length++] = value
    this.present(definition, repetition)
    if (this.#leastWide === undefined || value < this.#leastWide) this.#leastWide = value
    if (this.#greatestWide === undefined || value > this.#greatestWide) this.#greatestWide = value
  }

  override appendValue(value: unknown, definition: number, repetition: number): void {
    if (typeof value === 'bigint') this.appendBig(value, definition, repetition)
    else if (Number.isSafeInteger(value)) this.append(value as number, definition, repetition)
    else throw new TypeError(`a column of integers was given ${typeof value}`)
  }

  override min(): number | bigint | undefined {
    if (!this.leaf.bounded) return undefined
    const wide = this.#leastWide
    if (wide !== undefined && wide < this.#least) return wide
    return this.#least === Infinity ? undefined : this.#least
  }

  override max(): number | bigint | undefined {
    if (!this.leaf.bounded) return undefined
    const wide = this.#greatestWide
    if (wide !== undefined && wide > this.#greatest) return wide
    return this.#greatest === -Infinity ? undefined : this.#greatest
  }

  protected override takeValues(): PageValues {
    const length = this.#length
    this.#length = 0
    if (this.#wide === undefined) {
      const packed = packDeltas(this.#values, length)
      if (packed !== undefined) return { buffer: packed, start: 0, end: packed.length, encoding: 'DELTA_BINARY_PACKED' }
    }
    const plain = Buffer.allocUnsafe(LEVEL_ROOM + length * 8)
    for (let index = 0; index < length; index++) {
      const value = this.#wide === undefined ? BigInt(this.#values[index] as number) : (this.#wide[index] as bigint)
      plain.writeBigInt64LE(value, LEVEL_ROOM + index * 8)
    }
    this.#wide = undefined
    return { buffer: plain, start: LEVEL_ROOM, end: plain.length, encoding: 'PLAIN' }
  }

  protected override openBytes(): number {
    return this.#values.byteLength + (this.#wide?.byteLength ?? 0)
  }

  #grow(): void {
    const larger = new Float64Array(Math.max(FIRST_CAPACITY, this.#length * 2))
    larger.set(this.#values)
    this.#values = larger
  }
}
