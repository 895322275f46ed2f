import type { RowGroupBuffer } from '../columns/row-group.ts'
import { Output } from './output.ts'
import { RowWriter, type RowOptions } from './row-writer.ts'

const CHUNK_BYTES = 64 * 1024

export interface NdjsonOptions extends RowOptions {
  /** Of a chunk, unless one row alone is larger. */
  readonly maxBytes?: number
}

/** Whole lines, each with its line feed. */
export interface NdjsonChunk {
  readonly bytes: Buffer
  readonly rows: number
  /** Of `longColumn` in the last row; undefined when that is null. */
  readonly lastLong: number | undefined
}

/**
 * The rows of a group as lines of JSON, in their order. Closes the open pages of the group; each column's pages are decompressed one
 * after another. Numbers have all their digits, so that a reader may have to be told the type of large ones; NaN and infinities are
 * text, as are dates and times (ISO 8601, microseconds) and bytes (base64). Headers are text, or `{"base64":…}` when they are none.
 */
export function* ndjsonChunks(
  group: RowGroupBuffer,
  { maxBytes = CHUNK_BYTES, ...options }: NdjsonOptions = {}
): Generator<NdjsonChunk, undefined> {
  if (group.rows === 0) return
  const writer = new RowWriter(group, options)
  const out = new Output(maxBytes)
  let rows = 0
  let lastLong: number | undefined
  for (let left = group.rows; left > 0; left--) {
    const start = out.length
    writer.write(out)
    if (out.length > maxBytes && rows > 0) {
      yield { bytes: out.take(start), rows, lastLong }
      rows = 0
    }
    rows++
    lastLong = writer.lastLong
  }
  yield { bytes: out.take(out.length), rows, lastLong }
}
