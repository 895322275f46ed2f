import type { Leaf } from '../parquet/leaves.ts'
import { LEVEL_ROOM, type PageValues } from '../parquet/page.ts'
import { LeafColumn, PAGE_BYTES, PAGE_ENTRIES } from './leaf-column.ts'

const FIRST_CAPACITY = 64

/** Values of one width in bytes, one after another, as Parquet's plain encoding has them. */
export abstract class WidthColumn extends LeafColumn {
  readonly width: number
  protected buffer = Buffer.alloc(0)
  #end = LEVEL_ROOM

  constructor(leaf: Leaf, width: number) {
    super(leaf)
    this.width = width
  }

  /** Where the next value's bytes go in `buffer`. A page may only end where a row does. */
  protected reserve(repetition: number): number {
    const isFull = this.entries >= PAGE_ENTRIES || (this.entries > 0 && this.#end + this.width > PAGE_BYTES)
    if (isFull && repetition === 0) this.close()
    const at = this.#end
    if (at + this.width > this.buffer.length) this.#grow()
    this.#end = at + this.width
    return at
  }

  protected override takeValues(): PageValues {
    const values = { buffer: this.buffer, start: LEVEL_ROOM, end: this.#end, encoding: 'PLAIN' } as const
    this.#end = LEVEL_ROOM
    return values
  }

  protected override openBytes(): number {
    return this.buffer.length
  }

  #grow(): void {
    const first = LEVEL_ROOM + this.width * Math.max(1, Math.min(FIRST_CAPACITY, Math.floor(4096 / this.width)))
    const larger = Buffer.allocUnsafeSlow(Math.max(first, this.buffer.length * 2, this.#end + this.width))
    this.buffer.copy(larger, 0, 0, this.#end)
    this.buffer = larger
  }
}
