import type { DeadLetterRecord } from '../decode/dead-letter.ts'

/** A record as it is produced; a null value is a tombstone, as the source had it. */
export interface DeadLetterMessage {
  readonly key?: Buffer
  readonly value: Buffer
  readonly headers: Map<Buffer, Buffer>
  readonly timestamp: bigint
}

/**
 * Key, value and headers as they came, then ours: what went wrong, and from where the record is. `bronze-id` is the same
 * however often it is sent: readers that want each letter once keep the first of each.
 */
export function deadLetterMessage(letter: DeadLetterRecord): DeadLetterMessage {
  const { topic, partition, offset, lastOffset, key, value, timestampMs, failedAtMs } = letter
  const ours: Readonly<Record<string, string>> = {
    'bronze-id': letter.ingestionId,
    'bronze-topic': topic,
    'bronze-partition': String(partition),
    'bronze-offset': String(offset),
    ...(lastOffset > offset ? { 'bronze-last-offset': String(lastOffset) } : {}),
    'bronze-reason': letter.reason,
    'bronze-stage': letter.stage,
    'bronze-error': letter.error,
    'bronze-failed-at': new Date(failedAtMs).toISOString()
  }
  // Buffers are keys by identity, so a header that the record has twice stays twice.
  const headers = new Map<Buffer, Buffer>()
  for (const [name, content] of letter.headers) headers.set(Buffer.from(name), content as Buffer)
  for (const [name, content] of Object.entries(ours)) headers.set(Buffer.from(name), Buffer.from(content))
  return {
    ...(key === null ? {} : { key }),
    // The library's type knows no null, its writer does.
    value: value as Buffer,
    headers,
    timestamp: BigInt(timestampMs ?? failedAtMs)
  }
}
