import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { HEADER_BYTES, readHeader } from './batch.ts'
import type { PartitionLog } from './partition-log.ts'

export interface Found {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const GZIP = 1
const ZSTD = 4

/** The first record below `end` whose time is at or after `timestamp`. */
export function findTime(log: PartitionLog, timestamp: number, end: number): Found | undefined {
  for (const { entry, read } of log.batches()) {
    if (entry.baseOffset >= end) return undefined
    if (entry.maxTimestamp < timestamp) continue
    const found = times(read()).find(record => record.timestamp >= timestamp && record.offset >= log.start)
    if (found !== undefined) return { ...found, leaderEpoch: entry.leaderEpoch }
  }
  return undefined
}

/** The first of the records with the latest time. */
export function findLatestTime(log: PartitionLog, end: number): Found | undefined {
  let latest: { maxTimestamp: number; leaderEpoch: number; read: () => Buffer } | undefined
  for (const { entry, read } of log.batches())
    if (entry.baseOffset < end && entry.maxTimestamp > (latest?.maxTimestamp ?? -1)) latest = { ...entry, read }
  if (latest === undefined) return undefined
  const { maxTimestamp, leaderEpoch } = latest
  const found = times(latest.read()).find(record => record.timestamp === maxTimestamp)
  return found === undefined ? undefined : { ...found, leaderEpoch }
}

/**
 * Offset and time of each record. A batch whose codec Node does not have (snappy, lz4) counts as one record of its
 * latest time, at its first offset: reading from there misses nothing.
 */
function times(batch: Buffer): readonly { offset: number; timestamp: number }[] {
  const header = readHeader(batch)
  if (header === undefined) return []
  const whole = [{ offset: header.baseOffset, timestamp: header.maxTimestamp }]
  if (header.hasLogAppendTime || header.isControl) return whole
  const records = decompress(batch.subarray(HEADER_BYTES), header.compression)
  if (records === undefined) return whole
  const found: { offset: number; timestamp: number }[] = []
  let position = 0
  for (let index = 0; index < header.count && position < records.length; index++) {
    const length = varint(records, position)
    const timestampDelta = varint(records, length.next + 1)
    const offsetDelta = varint(records, timestampDelta.next)
    found.push({
      offset: header.baseOffset + offsetDelta.value,
      timestamp: header.baseTimestamp + timestampDelta.value
    })
    position = length.next + length.value
  }
  return found
}

function decompress(bytes: Buffer, codec: number): Buffer | undefined {
  try {
    if (codec === 0) return bytes
    if (codec === GZIP) return gunzipSync(bytes)
    if (codec === ZSTD) return zstdDecompressSync(bytes)
    return undefined
  } catch {
    return undefined // a client's broken batch is stored as it came, and found as a whole
  }
}

/** A zigzag varint, exact below 2^53. */
function varint(bytes: Buffer, position: number): { value: number; next: number } {
  let value = 0
  let factor = 1
  for (let next = position; next < bytes.length; next++) {
    const byte = bytes[next] as number
    value += (byte & 0x7f) * factor
    factor *= 0x80
    if (byte < 0x80) return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, next: next + 1 }
  }
  return { value: 0, next: bytes.length }
}
