import { zstdDecompressSync } from 'node:zlib'
import { invariant } from '../../lib/errors.ts'
import type { ColumnChunk } from '../columns/row-group.ts'
import type { Leaf } from '../parquet/leaves.ts'
import { levelBits } from '../parquet/levels.ts'
import type { Encoding, Page } from '../parquet/page.ts'
import { decodeLevels, type Levels } from './page-levels.ts'

/** A data page, decompressed; its values are the bytes from `start` on. */
export interface OpenPage {
  readonly bytes: Buffer
  readonly start: number
  readonly encoding: Encoding
  /** Values, nulls included. */
  readonly entries: number
  readonly definitions: Levels
  readonly repetitions: Levels
}

/** One of our own pages: levels and values as `dataPage` puts them together. */
function openPage({ maxDefinition, maxRepetition }: Leaf, page: Page): OpenPage {
  const bytes = contentOf(page)
  let start = 0
  const levels = (max: number): Levels => {
    if (max === 0) return 0
    const length = bytes.readUInt32LE(start)
    const decoded = decodeLevels(bytes, start + 4, page.entries, levelBits(max))
    start += 4 + length
    return decoded
  }
  const repetitions = levels(maxRepetition)
  const definitions = levels(maxDefinition)
  return { bytes, start, encoding: page.encoding, entries: page.entries, definitions, repetitions }
}

/** What a page holds, decompressed. */
function contentOf({ header, body, uncompressedBytes }: Page): Buffer {
  const size = uncompressedBytes - header.length
  // One piece of memory for all of it: what comes in several is copied once more.
  const bytes = zstdDecompressSync(body, { chunkSize: Math.max(64, size + 1) })
  invariant(bytes.length === size, 'a page has as many bytes as its header says')
  return bytes
}

/** The pages of a column, each decompressed when its turn comes. A constant is given once. */
export function* openPages({ leaf, dictionary, pages }: ColumnChunk): Generator<OpenPage, undefined> {
  if (dictionary === undefined) {
    for (const page of pages) yield openPage(leaf, page)
    return
  }
  const { maxDefinition } = leaf
  yield {
    bytes: contentOf(dictionary),
    start: 0,
    encoding: 'PLAIN',
    entries: 1,
    definitions: maxDefinition,
    repetitions: 0
  }
}
