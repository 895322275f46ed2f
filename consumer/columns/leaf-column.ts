import type { StatValue } from '../parquet/bounds.ts'
import type { Leaf } from '../parquet/leaves.ts'
import { encodeHybrid, encodeRun, levelBits } from '../parquet/levels.ts'
import { dataPage, type Page, type PageValues } from '../parquet/page.ts'

/**
 * Uncompressed bytes at which a page is closed. Larger pages compress little better, and each column of each partition
 * holds one open.
 */
export const PAGE_BYTES = 256 * 1024
/** Values after which a page is closed, however small they are. */
export const PAGE_ENTRIES = 16 * 1024

/** The values of one leaf of one row group: finished pages and one that is still open. */
export abstract class LeafColumn {
  readonly leaf: Leaf
  readonly #pages: Page[] = []
  #finishedBytes = 0
  #finishedEntries = 0
  #nulls = 0
  /** Entries of the open page, nulls included. */
  protected entries = 0
  /** Levels of the open page; absent while all its entries are there and none repeats. */
  #definitions: Uint8Array | undefined
  #repetitions: Uint8Array | undefined
  #openNulls = 0

  constructor(leaf: Leaf) {
    this.leaf = leaf
  }

  /** Values appended, nulls included; for a column without lists the number of its rows. */
  get count(): number {
    return this.#finishedEntries + this.entries
  }

  get nullCount(): number {
    return this.#nulls + this.#openNulls
  }

  /** Memory held. */
  get bytes(): number {
    const levels = (this.#definitions?.length ?? 0) + (this.#repetitions?.length ?? 0)
    return this.#finishedBytes + this.openBytes() + levels
  }

  /** A null, or for nested columns an empty list or a parent that is null: whatever stops below the value. */
  appendNull(definition = this.leaf.maxDefinition - 1, repetition = 0): void {
    if (this.entries >= PAGE_ENTRIES && repetition === 0) this.close()
    this.#openNulls++
    this.#level(definition, repetition)
  }

  /** So many rows that have nothing here at all. */
  appendNulls(rows: number): void {
    for (let row = 0; row < rows; row++) this.appendNull(0, 0)
  }

  /** All pages, the open one closed. */
  finish(): readonly Page[] {
    this.close()
    return this.#pages
  }

  abstract min(): StatValue | undefined
  abstract max(): StatValue | undefined
  /** False when a bound was cut. */
  get isExact(): boolean {
    return true
  }

  /** Throws TypeError when the value is not of the column's type. */
  abstract appendValue(value: unknown, definition: number, repetition: number): void
  /** The values of the open page; the buffer is compressed at once and may be used again. */
  protected abstract takeValues(): PageValues
  protected abstract openBytes(): number

  /** Counts an entry that has a value. */
  protected present(definition: number, repetition: number): void {
    if (this.#definitions === undefined && this.leaf.maxRepetition === 0) this.entries++
    else this.#level(definition, repetition)
  }

  protected close(): void {
    if (this.entries === 0) return
    const page = dataPage(this.#levels(), this.takeValues(), this.entries)
    this.#pages.push(page)
    this.#finishedBytes += page.header.length + page.body.length
    this.#finishedEntries += this.entries
    this.#nulls += this.#openNulls
    this.entries = 0
    this.#openNulls = 0
    this.#definitions = undefined
    this.#repetitions = undefined
  }

  #level(definition: number, repetition: number): void {
    const { maxDefinition, maxRepetition } = this.leaf
    const at = this.entries++
    let definitions = this.#definitions
    if (definitions === undefined || at >= definitions.length)
      definitions = this.#definitions = grown(definitions, at, maxDefinition)
    definitions[at] = definition
    if (maxRepetition === 0) return
    let repetitions = this.#repetitions
    if (repetitions === undefined || at >= repetitions.length)
      repetitions = this.#repetitions = grown(repetitions, at, 0)
    repetitions[at] = repetition
  }

  /** As a page of version 1 begins: repetition levels, then definition levels, each with its length in four bytes. */
  #levels(): Uint8Array {
    const { maxDefinition, maxRepetition } = this.leaf
    const parts: Uint8Array[] = []
    if (maxRepetition > 0 && this.#repetitions !== undefined) {
      parts.push(encodeHybrid(this.#repetitions, this.entries, levelBits(maxRepetition)))
    }
    if (maxDefinition > 0) {
      parts.push(
        this.#definitions === undefined
          ? encodeRun(maxDefinition, this.entries)
          : encodeHybrid(this.#definitions, this.entries, levelBits(maxDefinition))
      )
    }
    return Buffer.concat(parts.flatMap(part => [lengthPrefix(part.length), part]))
  }
}

/** Levels of `count` entries with room for one more; those not written so far are `fill`. */
function grown(levels: Uint8Array | undefined, count: number, fill: number): Uint8Array {
  const larger = new Uint8Array(Math.max(256, count * 2)).fill(fill)
  if (levels !== undefined) larger.set(levels)
  return larger
}

function lengthPrefix(length: number): Uint8Array {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32LE(length)
  return prefix
}
