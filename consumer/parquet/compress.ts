import { constants, zstdCompressSync } from 'node:zlib'

/** Level 1: with it compression is about half of a consumer's work; each further level costs more than it saves. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 }

/** Bytes of output gathered at a time: a page of text seldom needs more than one such piece. */
const PIECE_BYTES = 128 * 1024

/** What a frame may be larger than its content: a small page needs no large piece. */
const FRAME_BYTES = 512

/** One zstd frame, in memory of its own size. */
export function compress(bytes: Uint8Array): Uint8Array {
  const chunkSize = Math.min(PIECE_BYTES, bytes.byteLength + FRAME_BYTES)
  const frame = zstdCompressSync(bytes, { params: PARAMS, chunkSize })
  // The frame may be a slice of a far larger piece, which it would keep alive.
  return frame.byteLength * 2 < frame.buffer.byteLength ? new Uint8Array(frame) : frame
}
