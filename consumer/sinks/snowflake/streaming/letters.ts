import { invariant } from '../../../../lib/errors.ts'
import type { RowGroupBuffer } from '../../../columns/row-group.ts'
import { ndjsonChunks, type NdjsonChunk } from '../../../ndjson/encode.ts'
import { isEmbeddable } from './embeddable.ts'
import { rowsRequests, type RowsRequest } from './requests.ts'

/** A dead letter as a row of its table, but for the write id, which is known only when it is appended. Plain JSON. */
export interface Letter {
  readonly offset: number
  /** What follows the write id in the row's line. */
  readonly tail: string
}

/**
 * Before the write id. By the id rows of a commit that never was are found again; nothing else tells them from rows that another
 * process has just appended for the same records.
 */
const HEAD = '{"KAFKA_METADATA":{"write_id":"'
const WRITE_ID = /^[0-9a-f]{32}$/

/** Rows of a dead-letter table (`../sql/dead-letters.ts` has its columns, and makes the same of them by SQL). */
export function lettersOf(group: RowGroupBuffer): readonly Letter[] {
  return [...ndjsonChunks(group)].flatMap(({ bytes }) =>
    bytes
      .toString()
      .split('\n')
      .filter(line => line !== '')
      .map(line => letterOf(JSON.parse(line) as StagedLetter))
  )
}

/** Requests that append them all; each token is that of its last letter. */
export function letterRequests(letters: readonly Letter[], writeId: string): readonly RowsRequest[] {
  invariant(WRITE_ID.test(writeId), 'a write id is hexadecimal')
  const last = letters.at(-1)
  if (last === undefined) return []
  return rowsRequests(linesOf(letters, writeId), last.offset + 1)
}

function* linesOf(letters: readonly Letter[], writeId: string): Generator<NdjsonChunk> {
  for (const { offset, tail } of letters)
    yield { bytes: Buffer.from(`${HEAD}${writeId}${tail}\n`), rows: 1, lastLong: offset }
}

/** A line of NDJSON of DEAD_LETTER_SCHEMA; bytes are base64. */
interface StagedLetter {
  readonly _kafka_topic: string
  readonly _kafka_partition: number
  readonly _kafka_offset: number
  readonly _kafka_last_offset: number | null
  readonly _kafka_timestamp: string | null
  readonly _kafka_key: string | null
  readonly _kafka_headers: unknown
  readonly value: string | null
  readonly _ingestion_id: string | null
  readonly failed_at: string | null
  readonly reason: string | null
  readonly stage: string | null
  readonly error: string | null
  readonly pipeline: string | null
  readonly consumer_id: string | null
}

function letterOf(staged: StagedLetter): Letter {
  const metadata: readonly (readonly [name: string, json: string | undefined])[] = [
    ['topic', jsonOf(staged._kafka_topic)],
    ['partition', jsonOf(staged._kafka_partition)],
    ['offset', jsonOf(staged._kafka_offset)],
    ['last_offset', jsonOf(staged._kafka_last_offset)],
    ['timestamp', jsonOf(staged._kafka_timestamp)],
    ['key', bytesOf(staged._kafka_key, KEY_BYTES, false)],
    ['headers', jsonOf(staged._kafka_headers)],
    ['ingestion_id', jsonOf(staged._ingestion_id)],
    ['reason', jsonOf(staged.reason)],
    ['stage', jsonOf(staged.stage)],
    ['pipeline', jsonOf(staged.pipeline)],
    ['consumer_id', jsonOf(staged.consumer_id)]
  ]
  const message = staged.reason === null ? staged.error : `${staged.reason}: ${staged.error ?? ''}`
  const columns = [
    `"FAILED_AT":${JSON.stringify(staged.failed_at?.replace(/Z$/, '') ?? null)}`,
    `"ERROR_MESSAGE":${JSON.stringify(message)}`,
    `"RAW_PAYLOAD":${bytesOf(staged.value, VALUE_BYTES, true) ?? 'null'}`
  ]
  const members = metadata.flatMap(([name, json]) => (json === undefined ? [] : [`,"${name}":${json}`]))
  return { offset: staged._kafka_offset, tail: `"${members.join('')}},${columns.join(',')}}` }
}

const jsonOf = (value: unknown): string | undefined =>
  value === null || value === undefined ? undefined : JSON.stringify(value)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * What a letter has at most of a value and of a key, so that it fits a request: in base64, which takes a third more, and compressed,
 * which takes that away again.
 */
const VALUE_BYTES = 3 << 20
const KEY_BYTES = 512 << 10

/**
 * Text as text (JSON as JSON when wanted), other bytes as `{"base64": …}`. Of more than `most` bytes only so many, with the number of
 * all: the rest is in Kafka alone.
 */
function bytesOf(base64: string | null | undefined, most: number, mayBeJson: boolean): string | undefined {
  if (base64 === null || base64 === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length > most) return JSON.stringify({ base64: bytes.toString('base64', 0, most), bytes: bytes.length })
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return JSON.stringify({ base64 })
  }
  // A line break stands between tokens of JSON only.
  return mayBeJson && isEmbeddable(text) ? text.replaceAll(/[\r\n]+/g, ' ') : JSON.stringify(text)
}
