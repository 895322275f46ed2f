import type { Partition } from '../../consumer/partition.ts'
import type { RecordBatch } from '../../consumer/record-batch.ts'

export interface FakeRecord {
  readonly key?: string | Uint8Array | null
  readonly value: string | Uint8Array | null
  readonly headers?: readonly (readonly [string, string | Uint8Array | null])[]
  readonly timestampMs?: number
}

/** A data batch of consecutive records, encoded as Kafka's message format v2 has it. */
export function dataBatch(partition: Partition, baseOffset: number, records: readonly FakeRecord[]): RecordBatch {
  const baseTimestampMs = records[0]?.timestampMs ?? 0
  return {
    partition,
    kind: 'data',
    baseOffset,
    nextOffset: baseOffset + records.length,
    count: records.length,
    baseTimestampMs,
    logAppendTimeMs: undefined,
    records: Buffer.concat(
      records.map((record, index) =>
        encodeRecord(record, index, (record.timestampMs ?? baseTimestampMs) - baseTimestampMs)
      )
    ),
    reason: undefined
  }
}

/** Control records or an aborted transaction: only the offset moves. */
export function skipBatch(partition: Partition, baseOffset: number, count: number): RecordBatch {
  return { ...dataBatch(partition, baseOffset, []), kind: 'skip', nextOffset: baseOffset + count, count }
}

function encodeRecord({ key, value, headers = [] }: FakeRecord, offsetDelta: number, timestampDelta: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timestampDelta),
    varint(offsetDelta),
    field(key ?? null),
    field(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [field(name), field(content)])
  ])
  return Buffer.concat([varint(body.length), body])
}

function field(content: string | Uint8Array | null): Buffer {
  if (content === null) return varint(-1)
  const bytes = Buffer.from(content)
  return Buffer.concat([varint(bytes.length), bytes])
}

/** Zigzag, base 128, exact for any safe integer. */
function varint(value: number): Buffer {
  let rest = value >= 0 ? BigInt(value) * 2n : -BigInt(value) * 2n - 1n
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}
