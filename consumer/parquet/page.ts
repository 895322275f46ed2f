import { ByteWriter } from 'hyparquet-writer'
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js'
import { compress } from './compress.ts'

/** Parquet's numbers for the encodings we write (parquet.thrift). */
export const ENCODING = { PLAIN: 0, RLE: 3, DELTA_BINARY_PACKED: 5, RLE_DICTIONARY: 8 } as const
export type Encoding = keyof typeof ENCODING

/** A finished page: nothing is done to it any more but writing it out. */
export interface Page {
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly encoding: Encoding
  /** Header and body before compression. */
  readonly uncompressedBytes: number
  /** Values, nulls included. */
  readonly entries: number
}

/** Room that value buffers leave at their beginning, so that short levels can be put before the values without copying those. */
export const LEVEL_ROOM = 32

/** The values of a page: `buffer` from `start` to `end`; what lies before `start` may be overwritten. */
export interface PageValues {
  readonly buffer: Uint8Array
  readonly start: number
  readonly end: number
  readonly encoding: Encoding
}

/** A data page of version 1, which every reader knows. `levels` as the page has them: each with its length before it. */
export function dataPage(levels: Uint8Array, { buffer, start, end, encoding }: PageValues, entries: number): Page {
  let content: Uint8Array
  if (levels.length <= start && start <= buffer.length) {
    buffer.set(levels, start - levels.length)
    content = buffer.subarray(start - levels.length, end)
  } else {
    content = new Uint8Array(levels.length + end - start)
    content.set(levels)
    content.set(buffer.subarray(start, end), levels.length)
  }
  const body = compress(content)
  return page(body, content.length, entries, encoding, {
    field_1: 0,
    field_2: content.length,
    field_3: body.length,
    field_5: { field_1: entries, field_2: ENCODING[encoding], field_3: ENCODING.RLE, field_4: ENCODING.RLE }
  })
}

/** The dictionary of a column chunk: `count` plain values. */
export function dictionaryPage(content: Uint8Array, count: number): Page {
  const body = compress(content)
  return page(body, content.length, 0, 'PLAIN', {
    field_1: 2,
    field_2: content.length,
    field_3: body.length,
    field_7: { field_1: count, field_2: ENCODING.PLAIN }
  })
}

function page(
  body: Uint8Array,
  contentBytes: number,
  entries: number,
  encoding: Encoding,
  fields: Record<`field_${number}`, unknown>
): Page {
  const writer = new ByteWriter(64)
  serializeTCompactProtocol(writer, fields)
  const header = writer.getBytes()
  return { header, body, encoding, uncompressedBytes: header.length + contentBytes, entries }
}
