import type { RowGroupBuffer } from '../columns/row-group.ts'

export interface NdjsonOptions {
  /** Of a chunk, unless one row alone is larger. */
  readonly maxBytes?: number
  /** Text that is JSON (`isJson`) stands in the line as it is, instead of as a string. */
  readonly embedJson?: boolean
  /** A field of type long: of the chunk's last row its value is told. */
  readonly longColumn?: string
}

/** Whole lines, each with its line feed. */
export interface NdjsonChunk {
  readonly bytes: Buffer
  readonly rows: number
  /** Of `longColumn` in the last row; undefined when that is null. */
  readonly lastLong: number | undefined
}

/** The rows of a group as lines of JSON, in their order. Closes the open pages of the group. */
export function* ndjsonChunks(_group: RowGroupBuffer, _options: NdjsonOptions = {}): Generator<NdjsonChunk, undefined> {
  throw new Error('in the making')
}
