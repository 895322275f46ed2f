import { crc32c } from './crc32c.ts'

/** The header of a record batch (magic 2); layout: Kafka's message format, section "Record Batch". */
export interface BatchHeader {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The whole batch, header included. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly compression: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly hasLogAppendTime: boolean
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
}

/** Bytes before the first record. */
export const HEADER_BYTES = 61
/** Base offset and length: what is needed to know how long a batch is. */
const PREFIX_BYTES = 12

const AT = {
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57
} as const
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** The batch that starts at `start`; undefined when its bytes are not all there, or are no batch of magic 2. */
export function readHeader(bytes: Buffer, start = 0): BatchHeader | undefined {
  if (bytes.length - start < HEADER_BYTES || bytes[start + AT.magic] !== 2) return undefined
  const sizeBytes = bytes.readInt32BE(start + AT.length) + PREFIX_BYTES
  if (sizeBytes < HEADER_BYTES || start + sizeBytes > bytes.length) return undefined
  const baseOffset = Number(bytes.readBigInt64BE(start))
  const attributes = bytes.readInt16BE(start + AT.attributes)
  return {
    baseOffset,
    lastOffset: baseOffset + bytes.readInt32BE(start + AT.lastOffsetDelta),
    sizeBytes,
    leaderEpoch: bytes.readInt32BE(start + AT.leaderEpoch),
    compression: attributes & 0x07,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    hasLogAppendTime: (attributes & LOG_APPEND_TIME) !== 0,
    baseTimestamp: Number(bytes.readBigInt64BE(start + AT.baseTimestamp)),
    maxTimestamp: Number(bytes.readBigInt64BE(start + AT.maxTimestamp)),
    producerId: Number(bytes.readBigInt64BE(start + AT.producerId)),
    producerEpoch: bytes.readInt16BE(start + AT.producerEpoch),
    baseSequence: bytes.readInt32BE(start + AT.baseSequence),
    count: bytes.readInt32BE(start + AT.count)
  }
}

/** Whether the checksum of a batch, which `readHeader` has accepted, holds. */
export const isIntact = (bytes: Buffer, { sizeBytes }: BatchHeader, start = 0): boolean =>
  bytes.readUInt32BE(start + AT.crc) === crc32c(bytes, start + AT.attributes, start + sizeBytes)

/**
 * Gives a batch its place in the log, in place: neither offset nor epoch is under the checksum; a time of appending is,
 * so that it costs a new one.
 */
export function place(batch: Buffer, baseOffset: number, leaderEpoch: number, logAppendTimeMs?: number): void {
  batch.writeBigInt64BE(BigInt(baseOffset), 0)
  batch.writeInt32BE(leaderEpoch, AT.leaderEpoch)
  if (logAppendTimeMs === undefined) return
  batch.writeInt16BE(batch.readInt16BE(AT.attributes) | LOG_APPEND_TIME, AT.attributes)
  batch.writeBigInt64BE(BigInt(logAppendTimeMs), AT.maxTimestamp)
  batch.writeUInt32BE(crc32c(batch, AT.attributes, batch.length), AT.crc)
}

/** The batch with one control record that ends a transaction (KIP-98). */
export function endMarker(options: {
  commit: boolean
  producerId: number
  producerEpoch: number
  timestampMs: number
}): Buffer {
  // length 16, attributes, time and offset deltas; key: version 0 and type; value: version 0 and coordinator epoch 0
  const type = options.commit ? 1 : 0
  const record = Buffer.from([32, 0, 0, 0, 8, 0, 0, 0, type, 12, 0, 0, 0, 0, 0, 0, 0])
  const batch = Buffer.alloc(HEADER_BYTES + record.length)
  record.copy(batch, HEADER_BYTES)
  batch.writeInt32BE(batch.length - PREFIX_BYTES, AT.length)
  batch.writeInt8(2, AT.magic)
  batch.writeInt16BE(TRANSACTIONAL | CONTROL, AT.attributes)
  batch.writeBigInt64BE(BigInt(options.timestampMs), AT.baseTimestamp)
  batch.writeBigInt64BE(BigInt(options.timestampMs), AT.maxTimestamp)
  batch.writeBigInt64BE(BigInt(options.producerId), AT.producerId)
  batch.writeInt16BE(options.producerEpoch, AT.producerEpoch)
  batch.writeInt32BE(-1, AT.baseSequence)
  batch.writeInt32BE(1, AT.count)
  batch.writeUInt32BE(crc32c(batch, AT.attributes, batch.length), AT.crc)
  return batch
}

/** Whether a control batch commits its transaction. */
export const isCommit = (batch: Buffer): boolean => batch[HEADER_BYTES + 8] === 1
