import { FatalError } from '../../../../lib/errors.ts'
import type { CommitAuthor } from '../../../sink.ts'
import { formatKey, parseKey, type OffsetKey } from '../../offset-key.ts'
import type { TableObjects } from '../objects.ts'
import type { Row, Statement } from '../session/session.ts'
import { timestampText } from '../timestamp-text.ts'
import type { LedgerMove, OrphanedLetters } from './ledger.ts'
import { formatHolding, parseHolding, type Holding } from './mark.ts'
import type { LedgerEntry } from './position.ts'

/**
 * The ledger has the columns that it has in the other modes (`../ledger.ts`). Here a key's COMMIT_ID is a holding (`mark.ts`), and
 * NEXT_OFFSET is -1 while nothing of it is in the table.
 */
const NONE = -1

/** A key with what a statement needs of it. */
interface BoundKey {
  readonly key: OffsetKey
  readonly next?: number | undefined
  readonly writeId?: string
  readonly holding?: Holding
}

export interface Stamp {
  readonly author: CommitAuthor
  readonly nowMs: number
}

/**
 * Takes the lock that all writers take first, on the row that is there for it: statements after it see what was committed before.
 * It affects no row when that one is missing: nothing is locked then.
 */
export const lockLedger = ({ ledgerRef }: TableObjects, { nowMs }: Stamp): Statement => ({
  text: `UPDATE ${ledgerRef} SET COMMITTED_AT = ?::TIMESTAMP_NTZ WHERE TOPIC = ''`,
  binds: [timestampText(nowMs)]
})

export const readTopics = ({ ledgerRef }: TableObjects, topics: readonly string[]): Statement => ({
  text: [
    `SELECT ${HELD}`,
    `FROM ${ledgerRef} AS L`,
    'WHERE L.TOPIC IN (SELECT F.VALUE::VARCHAR FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F)'
  ].join('\n'),
  binds: [JSON.stringify(topics)]
})

export const readKeys = ({ ledgerRef }: TableObjects, keys: readonly OffsetKey[]): Statement => ({
  text: `SELECT ${HELD}\nFROM ${ledgerRef} AS L\nJOIN ${KEYS} AS K\nON ${SAME_KEY}`,
  binds: [keysJson(keys.map(key => ({ key })))]
})

/** Makes keys ours, whoever's they were, under holdings that keep their marks; as many rows as keys. */
export function takeKeys(
  { ledgerRef }: TableObjects,
  keys: readonly { readonly key: OffsetKey; readonly holding: Holding }[],
  { author, nowMs }: Stamp
): Statement {
  const by = byline(author)
  return {
    text: [
      `MERGE INTO ${ledgerRef} AS L`,
      `USING ${KEYS} AS K`,
      `ON ${SAME_KEY}`,
      'WHEN MATCHED THEN UPDATE SET COMMIT_ID = K.HOLDING, PIPELINE = ?, PIPELINE_CREATED_AT = ?, CONSUMER_ID = ?',
      `WHEN NOT MATCHED THEN INSERT (${COLUMNS})`,
      `VALUES (K.TOPIC, K.TOPIC_ID, K.PARTITION_ID, K.EPOCH, ${NONE}, K.HOLDING, ?::TIMESTAMP_NTZ, ?, ?, ?)`
    ].join('\n'),
    binds: [keysJson(keys), ...by, timestampText(nowMs), ...by]
  }
}

/** Gives keys other holdings, as far as they are still taken under the same write ids. */
export const holdKeys = (
  { ledgerRef }: TableObjects,
  keys: readonly { readonly key: OffsetKey; readonly holding: Holding }[]
): Statement => ({
  text: [
    `MERGE INTO ${ledgerRef} AS L`,
    `USING ${KEYS} AS K`,
    `ON ${SAME_KEY}`,
    `WHEN MATCHED AND ${SAME_WRITER} THEN UPDATE SET COMMIT_ID = K.HOLDING`
  ].join('\n'),
  binds: [keysJson(keys.map(each => ({ ...each, writeId: each.holding.writeId })))]
})

/** As `holdKeys`, and NEXT_OFFSET is no less than the given one. */
export const settleKeys = (
  { ledgerRef }: TableObjects,
  keys: readonly { readonly key: OffsetKey; readonly holding: Holding; readonly next: number | undefined }[]
): Statement => ({
  text: [
    `MERGE INTO ${ledgerRef} AS L`,
    `USING ${KEYS} AS K`,
    `ON ${SAME_KEY}`,
    `WHEN MATCHED AND ${SAME_WRITER} THEN UPDATE SET COMMIT_ID = K.HOLDING, NEXT_OFFSET = GREATEST(L.NEXT_OFFSET, K.NEXT_OFFSET)`
  ].join('\n'),
  binds: [keysJson(keys.map(each => ({ ...each, writeId: each.holding.writeId, next: each.next ?? NONE })))]
})

/** Moves offsets of keys that are still taken under the same write ids. */
export const moveKeys = (
  { ledgerRef }: TableObjects,
  moves: readonly LedgerMove[],
  { author, nowMs }: Stamp
): Statement => ({
  text: [
    `MERGE INTO ${ledgerRef} AS L`,
    `USING ${KEYS} AS K`,
    `ON ${SAME_KEY}`,
    `WHEN MATCHED AND ${SAME_WRITER} THEN UPDATE SET`,
    '  NEXT_OFFSET = K.NEXT_OFFSET, COMMITTED_AT = ?::TIMESTAMP_NTZ, PIPELINE = ?, PIPELINE_CREATED_AT = ?, CONSUMER_ID = ?'
  ].join('\n'),
  binds: [keysJson(moves), timestampText(nowMs), ...byline(author)]
})

/** Begins keys that have no row, taken by nobody; as many rows as keys. */
export const pinKeys = (
  { ledgerRef }: TableObjects,
  pins: readonly Omit<LedgerMove, 'writeId'>[],
  { author, nowMs }: Stamp
): Statement => ({
  text: [
    `MERGE INTO ${ledgerRef} AS L`,
    `USING ${KEYS} AS K`,
    `ON ${SAME_KEY}`,
    `WHEN NOT MATCHED THEN INSERT (${COLUMNS})`,
    'VALUES (K.TOPIC, K.TOPIC_ID, K.PARTITION_ID, K.EPOCH, K.NEXT_OFFSET, K.HOLDING, ?::TIMESTAMP_NTZ, ?, ?, ?)'
  ].join('\n'),
  binds: [
    keysJson(pins.map(({ key, next }) => ({ key, next, holding: { writeId: '', mark: undefined } }))),
    timestampText(nowMs),
    ...byline(author)
  ]
})

/** Rows are told by the write id; see `letters.ts`. */
export const deleteLetters = (deadLetterRef: string, { key, writeId, fromOffset }: OrphanedLetters): Statement => ({
  text: [
    `DELETE FROM ${deadLetterRef}`,
    'WHERE KAFKA_METADATA:"write_id"::VARCHAR = ?',
    '  AND KAFKA_METADATA:"topic"::VARCHAR = ?',
    '  AND KAFKA_METADATA:"partition"::NUMBER(38,0) = ?',
    '  AND KAFKA_METADATA:"offset"::NUMBER(38,0) >= ?'
  ].join('\n'),
  binds: [writeId, key.topic, key.partition, fromOffset]
})

/** FatalError `LedgerDamaged` when a row is none that we write. */
export const ledgerEntries = (rows: readonly Row[]): readonly LedgerEntry[] =>
  rows.filter(row => row['TOPIC'] !== '').map(entryOf)

function entryOf(row: Row): LedgerEntry {
  const key = {
    topic: row['TOPIC'] ?? '',
    topicId: row['TOPIC_ID'] ?? '',
    partition: Number(row['PARTITION_ID']),
    epoch: Number(row['EPOCH'])
  }
  const next = Number(row['NEXT_OFFSET'])
  if (parseKey(formatKey(key)) === undefined || !Number.isSafeInteger(next) || next < NONE) {
    throw new FatalError(
      'LedgerDamaged',
      `The offsets table has a row that no consumer writes: topic ${key.topic}, partition ${row['PARTITION_ID']}, NEXT_OFFSET ${row['NEXT_OFFSET']}. Correct or delete it.`
    )
  }
  const { PIPELINE: pipeline, PIPELINE_CREATED_AT: createdAt, CONSUMER_ID: consumerId } = row
  return {
    key,
    nextOffset: next === NONE ? undefined : next,
    ...parseHolding(row['COMMIT_ID'] ?? ''),
    author:
      pipeline == null ? undefined : { pipeline, createdAt: createdAt ?? undefined, consumerId: consumerId ?? '' },
    updatedMs: Number(row['COMMITTED_MS'] ?? 0)
  }
}

function keysJson(keys: readonly BoundKey[]): string {
  return JSON.stringify(
    keys.map(({ key: { topic, topicId, partition, epoch }, next, writeId, holding }) => ({
      topic,
      topicId,
      partition,
      epoch,
      next,
      writeId,
      holding: holding && formatHolding(holding)
    }))
  )
}

const byline = ({ pipeline, createdAt, consumerId }: CommitAuthor) => [pipeline, createdAt ?? null, consumerId]

/** The keys as they are bound; what is not there of one is null. */
const KEYS = `(
  SELECT
    F.VALUE:"topic"::VARCHAR AS TOPIC,
    F.VALUE:"topicId"::VARCHAR AS TOPIC_ID,
    F.VALUE:"partition"::NUMBER(38,0) AS PARTITION_ID,
    F.VALUE:"epoch"::NUMBER(38,0) AS EPOCH,
    F.VALUE:"next"::NUMBER(38,0) AS NEXT_OFFSET,
    F.VALUE:"writeId"::VARCHAR AS WRITE_ID,
    F.VALUE:"holding"::VARCHAR AS HOLDING
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F
)`

const SAME_KEY =
  'L.TOPIC = K.TOPIC AND L.TOPIC_ID = K.TOPIC_ID AND L.PARTITION_ID = K.PARTITION_ID AND L.EPOCH = K.EPOCH'

const SAME_WRITER = "SPLIT_PART(L.COMMIT_ID, '/', 1) = K.WRITE_ID"

const COLUMNS =
  'TOPIC, TOPIC_ID, PARTITION_ID, EPOCH, NEXT_OFFSET, COMMIT_ID, COMMITTED_AT, PIPELINE, PIPELINE_CREATED_AT, CONSUMER_ID'

const HELD = [
  ...['TOPIC', 'TOPIC_ID', 'PARTITION_ID', 'EPOCH', 'NEXT_OFFSET', 'COMMIT_ID'].map(name => `L.${name}`),
  'DATE_PART(EPOCH_MILLISECOND, L.COMMITTED_AT) AS COMMITTED_MS',
  ...['PIPELINE', 'PIPELINE_CREATED_AT', 'CONSUMER_ID'].map(name => `L.${name}`)
].join(', ')
