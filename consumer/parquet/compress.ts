import { constants, zstdCompressSync } from 'node:zlib'

/** Level 1: with it compression is about half of a consumer's work; each further level costs more than it saves. */
const OPTIONS = {
  params: { [constants.ZSTD_c_compressionLevel]: 1 },
  /** Bytes of output gathered at a time: a page of text seldom needs more than one such piece. */
  chunkSize: 128 * 1024
}

/** One zstd frame, in memory of its own size. */
export function compress(bytes: Uint8Array): Uint8Array {
  const frame = zstdCompressSync(bytes, OPTIONS)
  // The frame may be a slice of a far larger piece, which it would keep alive.
  return frame.byteLength * 2 < frame.buffer.byteLength ? new Uint8Array(frame) : frame
}
