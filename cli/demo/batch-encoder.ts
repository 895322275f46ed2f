import { zstdCompressSync } from 'node:zlib'
import { crc32c } from './broker/log/crc32c.ts'

/** A record to produce. */
export interface DemoRecord {
  readonly key: string
  readonly value: Buffer
  readonly timestampMs: number
  readonly headers: Readonly<Record<string, string>>
}

const HEADER_BYTES = 61
const ZSTD = 4

/** One record batch (magic 2) of the records, which are at least one. */
export function encodeBatch(records: readonly DemoRecord[], codec: 'none' | 'zstd'): Buffer {
  const times = records.map(record => record.timestampMs)
  const baseTimestamp = times[0] ?? 0
  const plain = encodeRecords(records, baseTimestamp)
  const body = codec === 'zstd' ? zstdCompressSync(plain) : plain
  const batch = Buffer.alloc(HEADER_BYTES + body.length)
  body.copy(batch, HEADER_BYTES)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(codec === 'zstd' ? ZSTD : 0, 21)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27)
  batch.writeBigInt64BE(BigInt(times.reduce((a, b) => Math.max(a, b), baseTimestamp)), 35)
  batch.writeBigInt64BE(-1n, 43) // no producer id, epoch, sequence
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17)
  return batch
}

/** Bytes that a record may take beside its key, value and headers. */
const RECORD_OVERHEAD_BYTES = 32
const HEADER_OVERHEAD_BYTES = 12

function encodeRecords(records: readonly DemoRecord[], baseTimestamp: number): Buffer {
  const bytes = new Bytes(records.reduce((sum, record) => sum + mostBytes(record) + RECORD_OVERHEAD_BYTES, 0))
  for (const [index, record] of records.entries()) {
    const { key, value, timestampMs, headers } = record
    const content = new Bytes(mostBytes(record) + RECORD_OVERHEAD_BYTES)
    content.varint(0) // attributes
    content.varint(timestampMs - baseTimestamp)
    content.varint(index)
    content.sized(Buffer.from(key))
    content.sized(value)
    const entries = Object.entries(headers)
    content.varint(entries.length)
    for (const [name, text] of entries) {
      content.sized(Buffer.from(name))
      content.sized(Buffer.from(text))
    }
    bytes.sized(content.written())
  }
  return bytes.written()
}

const mostBytes = ({ key, value, headers }: DemoRecord): number =>
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text) + HEADER_OVERHEAD_BYTES,
    Buffer.byteLength(key) + value.length
  )

class Bytes {
  #bytes: Buffer
  #position = 0

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  /** Zigzag, exact below 2^52. */
  varint(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#position++] = (rest % 0x80) + 0x80
    this.#bytes[this.#position++] = rest
  }

  sized(content: Buffer): void {
    this.varint(content.length)
    this.#position += content.copy(this.#bytes, this.#position)
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.#position)
  }
}
