import { FatalError, invariant } from '../../../../lib/errors.ts'
import type { NdjsonChunk } from '../../../ndjson/encode.ts'
import { compress } from '../../../parquet/compress.ts'

/** Rows that are appended in one request, and committed by the service as one. */
export interface RowsRequest {
  /** NDJSON in one zstd frame. */
  readonly body: Buffer
  readonly rows: number
  /** The next offset after its last row; of a part's last request, the part's. */
  readonly next: number
}

/**
 * What may be sent at once, after compression: "a hard per-request cap" of 4 MB (snowpipe-streaming-high-performance-limitations,
 * "Named Channel limits"; 16 MB in a note of the REST page, which is taken to be before compression).
 */
export const MAX_BODY_BYTES = 4_000_000
const MAX_ROW_BYTES = 16_000_000
/**
 * Rows gathered for a request, before compression: what cannot be compressed still fits, and at the 10 requests a second that a
 * channel may make this is more than the 20 MB/s it may take.
 */
export const TARGET_BYTES = 3_900_000

/**
 * Requests for the rows of one part, in the order of their offsets; the last one's `next` is the part's. None when there are
 * no rows. FatalError `RowTooLarge`.
 */
export function rowsRequests(
  chunks: Iterable<NdjsonChunk>,
  partNext: number,
  targetBytes: number = TARGET_BYTES
): readonly RowsRequest[] {
  const requests: RowsRequest[] = []
  let pieces: Buffer[] = []
  let [bytes, rows, next] = [0, 0, 0]
  const cut = (end: number) => {
    const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
    requests.push({ body: compressed(whole), rows, next: end })
    pieces = []
    bytes = 0
    rows = 0
  }
  for (const chunk of chunks) {
    invariant(chunk.lastLong !== undefined && chunk.lastLong >= next, 'rows of a part ascend by offset')
    if (rows > 0 && bytes + chunk.bytes.length > targetBytes) cut(next)
    pieces.push(chunk.bytes)
    bytes += chunk.bytes.length
    rows += chunk.rows
    next = chunk.lastLong + 1
  }
  invariant(next <= partNext, 'a part ends after its rows')
  if (rows > 0) cut(partNext)
  return requests
}

function compressed(bytes: Buffer): Buffer {
  const frame = compress(bytes)
  if (frame.byteLength > MAX_BODY_BYTES || bytes.length > MAX_ROW_BYTES) {
    throw new FatalError(
      'RowTooLarge',
      `A row has ${bytes.length} bytes as JSON (${frame.byteLength} compressed), and Snowpipe Streaming takes ${MAX_BODY_BYTES} in a request: lower ` +
        'spec.topics[].maxRecordBytes, so that such records go to the dead letters, or choose another spec.sink.snowflake.mode.'
    )
  }
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
}
