import type { BatchPart } from '../../../batch.ts'
import type { Field } from '../../../columns/schema.ts'
import type { RowGroupBuffer } from '../../../columns/row-group.ts'
import { ndjsonChunks, type NdjsonChunk, type NdjsonOptions } from '../../../ndjson/encode.ts'
import { invariant } from '../../../../lib/errors.ts'
import { isEmbeddable } from './embeddable.ts'
import type { StagedRange } from '../../../sink.ts'
import { lettersOf, type Letter } from './letters.ts'
import { rowsRequests, type RowsRequest } from './requests.ts'

/** What `stage` leaves for `commit`, one for each range: there is no place to upload to, so it is the rows themselves. */
export interface StagedPart {
  readonly rows: readonly StagedRequest[]
  readonly letters: readonly Letter[]
  /** Members of the rows' lines, in upper case. */
  readonly columns: readonly string[]
}

interface StagedRequest extends Omit<RowsRequest, 'body'> {
  /** A Buffer, or what `JSON.stringify` makes of one. */
  readonly body: Buffer | { readonly type: 'Buffer'; readonly data: readonly number[] }
}

/** Of the lines that are gathered at a time. */
const CHUNK_BYTES = 64 * 1024

/** `offsetColumn` is the field that holds a record's offset; it may be one that the table does not have. */
export function stagePart(part: BatchPart, offsetColumn: string, requestBytes: number): StagedPart {
  const maxBytes = Math.min(CHUNK_BYTES, requestBytes)
  const options = { embedJson: true, longColumn: offsetColumn, memberOf: memberName, maxBytes }
  const groups = part.rows.filter(({ rows }) => rows > 0)
  const chunks = groups.values().flatMap(group => linesOf(group, options))
  const fields = groups.flatMap(({ schema }) => schema.fields)
  return {
    rows: rowsRequests(chunks, part.nextOffset, requestBytes),
    letters: part.deadLetters === undefined ? [] : lettersOf(part.deadLetters),
    columns: [...new Set(fields.flatMap(field => memberName(field) ?? []))]
  }
}

/**
 * Rows with their JSON in them. What Snowflake would not take as JSON is in its row as text: the service refuses a row for it, and
 * the row would be in no table.
 */
function* linesOf(group: RowGroupBuffer, options: NdjsonOptions): Generator<NdjsonChunk> {
  const chunks = ndjsonChunks(group, options)
  if (!group.schema.fields.some(({ isJson }) => isJson)) {
    yield* chunks
    return
  }
  const asText = new RowsAsText(group, options)
  let row = 0
  for (const chunk of chunks) {
    const lines = chunk.bytes.toString().split('\n').slice(0, -1)
    const first = row
    row += chunk.rows
    if (lines.every(isEmbeddable)) yield chunk
    else {
      const taken = lines.map((line, index) => (isEmbeddable(line) ? `${line}\n` : asText.line(first + index)))
      yield { ...chunk, bytes: Buffer.from(taken.join('')) }
    }
  }
}

/** Single rows of a group, in ascending order, with their JSON as text. */
class RowsAsText {
  readonly #lines: Generator<NdjsonChunk>
  #next = 0

  constructor(group: RowGroupBuffer, options: NdjsonOptions) {
    this.#lines = ndjsonChunks(group, { ...options, embedJson: false, maxBytes: 1 })
  }

  line(row: number): string {
    for (;;) {
      const { value } = this.#lines.next() as IteratorResult<NdjsonChunk, undefined>
      invariant(value !== undefined, `row ${row} is in its group`)
      if (this.#next++ === row) return value.bytes.toString()
    }
  }
}

/** The column's name as it is in Snowflake: whether the pipe minds the case is not told. */
export const memberName = ({ name, isStagedOnly }: Field): string | undefined =>
  isStagedOnly === true ? undefined : name.toUpperCase()

export const bodyOf = ({ body }: StagedRequest): Buffer => (Buffer.isBuffer(body) ? body : Buffer.from(body.data))

/** Keeps what was staged of each range beside it; ranges without anything are offsets that move alone. */
export const partsOf = (
  ranges: readonly StagedRange[],
  files: unknown
): readonly (readonly [StagedRange, StagedPart])[] =>
  ranges.map((range, index) => [range, (files as readonly StagedPart[])[index] as StagedPart])
