import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'

/** A batch that becomes larger is taken for a bomb: brokers take 1 MiB compressed unless told otherwise. */
export const MAX_DECOMPRESSED_BYTES = 64 << 20

/**
 * Decompresses the records of a batch whose attributes name `codec` (0–4). Throws when the bytes are not what the codec
 * promises or would become more than `maxBytes`.
 */
export function decompress(codec: number, bytes: Buffer, maxBytes = MAX_DECOMPRESSED_BYTES): Buffer {
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize: chunkBytes(gzipBytes(bytes), bytes) })
    case 2:
      return snappy(bytes, maxBytes)
    case 3:
      checkBound(lz4BoundBytes(bytes), maxBytes + LZ4_MAX_BLOCK_BYTES)
      return compressionsAlgorithms.lz4.decompressSync(bytes)
    case 4:
      return zstdDecompressSync(bytes, {
        maxOutputLength: maxBytes,
        chunkSize: chunkBytes(zstdBytes(bytes), bytes),
        params: { [constants.ZSTD_d_windowLogMax]: 27 }
      })
    default:
      throw new RangeError(`compression codec ${codec} is not known`)
  }
}

/** Records compress about so well; where a frame does not say how large it becomes. */
const USUAL_RATIO = 6
const MIN_CHUNK_BYTES = 1 << 10
const MAX_CHUNK_BYTES = 1 << 20

/**
 * Node gathers output in pieces of this size, and the last one is kept whole however little is in it: one piece that
 * just fits costs neither a copy nor idle memory. A piece that is filled to its end would be followed by an empty one.
 */
function chunkBytes(known: number | undefined, bytes: Buffer): number {
  const expected = known === undefined ? bytes.length * USUAL_RATIO : known + 1
  return Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, expected))
}

/** A gzip member ends with its decompressed length (RFC 1952). */
function gzipBytes(bytes: Buffer): number | undefined {
  return bytes.length < 18 ? undefined : bytes.readUInt32LE(bytes.length - 4)
}

/** The content size in a zstd frame's header, where the producer knew it (RFC 8878 section 3.1.1.1). */
function zstdBytes(bytes: Buffer): number | undefined {
  const descriptor = bytes[4]
  if (descriptor === undefined || bytes.readUInt32LE(0) !== 0xfd2fb528) return undefined
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0)
  const size = descriptor >> 6
  if (at + 8 > bytes.length || (size === 0 && !isSingleSegment)) return undefined
  if (size === 0) return bytes.readUInt8(at)
  if (size === 1) return bytes.readUInt16LE(at) + 256
  return size === 2 ? bytes.readUInt32LE(at) : Number(bytes.readBigUInt64LE(at))
}

function checkBound(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new RangeError(`batch would decompress to ${bytes} bytes, more than ${maxBytes}`)
}

/** Magic of snappy-java's framing, which Java producers use: 8 bytes, then two versions of 4 bytes, then chunks. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

function snappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, 8).equals(XERIAL_MAGIC)) return snappyBlock(bytes, maxBytes)
  const chunks: Buffer[] = []
  let total = 0
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    if (at + 4 > bytes.length) throw new RangeError('snappy chunk length is cut off')
    const length = bytes.readUInt32BE(at)
    at += 4
    if (at + length > bytes.length) throw new RangeError('snappy chunk is cut off')
    const chunk = snappyBlock(bytes.subarray(at, at + length), maxBytes - total)
    total += chunk.length
    chunks.push(chunk)
    at += length
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, total)
}

/** A raw snappy block begins with its decompressed length as a varint. */
function snappyBlock(bytes: Buffer, maxBytes: number): Buffer {
  let length = 0
  let at = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++]
    if (byte === undefined || at > 5) throw new RangeError('snappy length is cut off')
    length += (byte & 0x7f) * factor
    if (byte < 0x80) break
  }
  checkBound(length, maxBytes)
  return compressionsAlgorithms.snappy.decompressSync(bytes)
}

const LZ4_MAGIC = 0x184d2204
const LZ4_MAX_BLOCK_BYTES = 4 << 20

/**
 * The most an LZ4 frame can become: its blocks times their greatest size, from the frame's own headers
 * (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md).
 */
function lz4BoundBytes(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new RangeError('not an LZ4 frame')
  const flags = bytes.readUInt8(4)
  const blockSizeId = (bytes.readUInt8(5) >> 4) & 7
  if (blockSizeId < 4) throw new RangeError(`LZ4 block size ${blockSizeId} is not known`)
  const blockBytes = 1 << (8 + 2 * blockSizeId)
  const hasBlockChecksum = (flags & 0x10) !== 0
  let at = 6 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4) + 1
  let bound = 0
  while (at + 4 <= bytes.length) {
    const size = bytes.readUInt32LE(at) & 0x7fffffff
    if (size === 0) return bound
    bound += blockBytes
    at += 4 + size + (hasBlockChecksum ? 4 : 0)
  }
  throw new RangeError('LZ4 frame is cut off')
}
