import { compareBytes, lowerBound, MAX_BOUND_BYTES, upperBound } from '../parquet/bounds.ts'
import type { Leaf } from '../parquet/leaves.ts'
import { LEVEL_ROOM, type PageValues } from '../parquet/page.ts'
import { LeafColumn, PAGE_BYTES, PAGE_ENTRIES } from './leaf-column.ts'

const FIRST_CAPACITY = 512
/** Shorter values are copied byte by byte: a call into the runtime costs more. */
const SHORT = 24

/** Text or bytes. Each value is copied once, to where it lies in the Parquet page: after its length in four bytes. */
export class BytesColumn extends LeafColumn {
  #buffer = Buffer.allocUnsafeSlow(0)
  #end = LEVEL_ROOM
  readonly #bounded: boolean
  /** Values at the bounds, cut one byte beyond what a bound may hold so that the cut is known. */
  #least: Buffer | undefined
  #greatest: Buffer | undefined

  constructor(leaf: Leaf) {
    super(leaf)
    this.#bounded = leaf.bounded && leaf.type === 'string'
  }

  /** For strings the bytes must be UTF-8. */
  append(source: Buffer, start: number, length: number, definition = this.leaf.maxDefinition, repetition = 0): void {
    let end = this.#end
    if (end + 4 + length > this.#buffer.length) {
      this.#makeRoom(length, repetition)
      end = this.#end
    } else if (this.entries >= PAGE_ENTRIES && repetition === 0) {
      this.close()
      end = this.#end
    }
    const buffer = this.#buffer
    buffer[end] = length
    buffer[end + 1] = length >>> 8
    buffer[end + 2] = length >>> 16
    buffer[end + 3] = length >>> 24
    end += 4
    if (length <= SHORT)
      for (let index = 0; index < length; index++) buffer[end + index] = source[start + index] as number
    else source.copy(buffer, end, start, start + length)
    this.#end = end + length
    this.present(definition, repetition)
    if (this.#bounded) this.#widen(source, start, length)
  }

  override appendValue(value: unknown, definition: number, repetition: number): void {
    const bytes = typeof value === 'string' ? Buffer.from(value) : asBuffer(value)
    this.append(bytes, 0, bytes.length, definition, repetition)
  }

  /** The bounds as the footer has them; both or none, since a bound without the other helps little and some readers want both. */
  override min(): string | undefined {
    if (this.#least === undefined || this.#upper() === undefined) return undefined
    return Buffer.from(lowerBound(this.#least)).toString('utf8')
  }

  override max(): string | undefined {
    return this.#upper()?.toString('utf8')
  }

  override get isExact(): boolean {
    return Math.max(this.#least?.length ?? 0, this.#greatest?.length ?? 0) <= MAX_BOUND_BYTES
  }

  #upper(): Buffer | undefined {
    const upper = this.#greatest && upperBound(this.#greatest)
    return upper && Buffer.from(upper)
  }

  protected override takeValues(): PageValues {
    const values = { buffer: this.#buffer, start: LEVEL_ROOM, end: this.#end, encoding: 'PLAIN' } as const
    this.#end = LEVEL_ROOM
    // A value of unusual size does not set the measure for the pages after it.
    if (this.#buffer.length > PAGE_BYTES) this.#buffer = Buffer.allocUnsafeSlow(0)
    return values
  }

  protected override openBytes(): number {
    return this.#buffer.length
  }

  /** Closes the page when it is full, else doubles its room. A page may only end where a row does. */
  #makeRoom(length: number, repetition: number): void {
    const isFull = this.#end + 4 + length > PAGE_BYTES || this.entries >= PAGE_ENTRIES
    if (isFull && repetition === 0) this.close()
    const needed = this.#end + 4 + length
    if (needed <= this.#buffer.length) return
    const doubled = Math.min(PAGE_BYTES, Math.max(FIRST_CAPACITY, this.#buffer.length * 2))
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, needed > PAGE_BYTES ? this.#buffer.length * 2 : doubled))
    this.#buffer.copy(larger, 0, 0, this.#end)
    this.#buffer = larger
  }

  #widen(source: Buffer, start: number, length: number): void {
    const [least, greatest] = [this.#least, this.#greatest]
    const kept = length > MAX_BOUND_BYTES ? MAX_BOUND_BYTES + 4 : length
    if (least === undefined || compareBytes(source, start, kept, least, 0, least.length) < 0) {
      this.#least = Buffer.from(source.subarray(start, start + kept))
    }
    if (greatest === undefined || compareBytes(source, start, kept, greatest, 0, greatest.length) > 0) {
      this.#greatest = Buffer.from(source.subarray(start, start + kept))
    }
  }
}

function asBuffer(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`a column of text or bytes was given ${typeof value}`)
}
