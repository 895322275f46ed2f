import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import { crc32c } from '../../../consumer/source/crc32c.ts'

export interface BuiltRecord {
  readonly offsetDelta?: number
  readonly timestampDelta?: number
  readonly key?: string | null
  readonly value?: string | null
}

export interface BuiltBatch {
  readonly baseOffset: number
  readonly records: readonly BuiltRecord[]
  /** The greatest offset delta; compaction may leave it above those of the records. */
  readonly lastOffsetDelta?: number
  readonly codec?: 0 | 1 | 2 | 3 | 4
  readonly attributes?: number
  readonly baseTimestamp?: number
  readonly maxTimestamp?: number
  readonly producerId?: number
  readonly leaderEpoch?: number
}

export const TRANSACTIONAL = 0x10
export const CONTROL = 0x20
export const LOG_APPEND_TIME = 0x08

/** A record batch of magic 2 as a broker stores it, written from the format's description for tests alone. */
export function buildBatch(batch: BuiltBatch): Buffer {
  const {
    baseOffset,
    records,
    codec = 0,
    attributes = 0,
    baseTimestamp = 1000,
    producerId = -1,
    leaderEpoch = 0
  } = batch
  const lastDelta =
    batch.lastOffsetDelta ?? Math.max(0, ...records.map(({ offsetDelta }, index) => offsetDelta ?? index))
  const plain = Buffer.concat(records.map(buildRecord))
  const body = compress(codec, plain)
  const header = Buffer.alloc(61)
  header.writeBigInt64BE(BigInt(baseOffset), 0)
  header.writeInt32BE(49 + body.length, 8)
  header.writeInt32BE(leaderEpoch, 12)
  header.writeInt8(2, 16)
  header.writeInt16BE(attributes | codec, 21)
  header.writeInt32BE(lastDelta, 23)
  header.writeBigInt64BE(BigInt(baseTimestamp), 27)
  header.writeBigInt64BE(BigInt(batch.maxTimestamp ?? baseTimestamp), 35)
  header.writeBigInt64BE(BigInt(producerId), 43)
  header.writeInt32BE(records.length, 57)
  return sealBatch(Buffer.concat([header, body]))
}

/** Sets the checksum after the bytes were changed. */
export function sealBatch(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

/** The marker that ends a transaction of `producerId`. */
export function buildMarker(baseOffset: number, producerId: number, type: 'abort' | 'commit'): Buffer {
  const key = type === 'abort' ? '\0\0\0\0' : '\0\0\0\u0001'
  return buildBatch({
    baseOffset,
    producerId,
    attributes: TRANSACTIONAL | CONTROL,
    records: [{ key, value: '\0\0\0\0\0\0' }]
  })
}

function buildRecord(
  { offsetDelta, timestampDelta = 0, key = null, value = null }: BuiltRecord,
  index: number
): Buffer {
  const fields = Buffer.concat([
    Buffer.from([0]),
    varint(timestampDelta),
    varint(offsetDelta ?? index),
    bytes(key),
    bytes(value),
    varint(0)
  ])
  return Buffer.concat([varint(fields.length), fields])
}

function bytes(text: string | null): Buffer {
  if (text === null) return varint(-1)
  const encoded = Buffer.from(text)
  return Buffer.concat([varint(encoded.length), encoded])
}

function varint(value: number): Buffer {
  const out: number[] = []
  let left = (value << 1) ^ (value >> 31)
  for (; (left & ~0x7f) !== 0; left >>>= 7) out.push((left & 0x7f) | 0x80)
  out.push(left)
  return Buffer.from(out)
}

function compress(codec: number, plain: Buffer): Buffer {
  const { snappy, lz4 } = compressionsAlgorithms
  if (codec === 1) return gzipSync(plain)
  if (codec === 2) return snappy.compressSync(plain)
  if (codec === 3) return lz4.compressSync(plain)
  return codec === 4 ? zstdCompressSync(plain) : plain
}
