import { packDeltas } from '../parquet/delta-packing.ts'
import { LEVEL_ROOM, type PageValues } from '../parquet/page.ts'
import { LeafColumn, PAGE_ENTRIES } from './leaf-column.ts'

const FIRST_CAPACITY = 64

/**
 * 64-bit integers: long, and timestamps and times in microseconds. Numbers are kept as doubles while they are safe integers; the
 * first one that is not turns its page to bigints.
 */
export class LongColumn extends LeafColumn {
  #values = new Float64Array(0)
  #wide: BigInt64Array | undefined
  #length = 0
  #least: number | bigint | undefined
  #greatest: number | bigint | undefined

  /** `value` is a safe integer. */
  append(value: number, definition = this.leaf.maxDefinition, repetition = 0): void {
    if (this.entries >= PAGE_ENTRIES && repetition === 0) this.close()
    if (this.#wide !== undefined) {
      this.appendBig(BigInt(value), definition, repetition)
      return
    }
    if (this.#length === this.#values.length) this.#grow()
    this.#values[this.#length++] = value
    this.present(definition, repetition)
    this.#widen(value)
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
    this.#widen(Number.isSafeInteger(number) ? number : value)
  }

  override appendValue(value: unknown, definition: number, repetition: number): void {
    if (typeof value === 'bigint') this.appendBig(value, definition, repetition)
    else if (Number.isSafeInteger(value)) this.append(value as number, definition, repetition)
    else throw new TypeError(`a column of integers was given ${typeof value}`)
  }

  override min(): number | bigint | undefined {
    return this.leaf.bounded ? this.#least : undefined
  }

  override max(): number | bigint | undefined {
    return this.leaf.bounded ? this.#greatest : undefined
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

  /** Numbers and bigints compare by value. */
  #widen(value: number | bigint): void {
    if (this.#least === undefined || value < this.#least) this.#least = value
    if (this.#greatest === undefined || value > this.#greatest) this.#greatest = value
  }
}
