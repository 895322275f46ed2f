import type { CommitAuthor } from '../../../sink.ts'
import type { OffsetKey } from '../../offset-key.ts'
import { authorBinds, boundKeys, LEDGER_NAMES, ledgerRow, SAME_KEY } from '../sql/ledger-table.ts'
import type { TableObjects } from '../sql/objects.ts'
import type { Row, Statement } from '../session/session.ts'
import { timestampText } from '../sql/timestamp-text.ts'
import type { LedgerMove, OrphanedLetters } from './ledger.ts'
import { formatHolding, parseHolding, type Holding } from './mark.ts'
import type { LedgerEntry } from './position.ts'

/**
 * The ledger has the columns that it has in the other modes (`../sql/ledger-table.ts`). Here a key's COMMIT_ID is a holding (`mark.ts`), and
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

/** Makes keys ours, whoever's they were, under holdings that keep their marks; as many rows as keys. */
export function takeKeys(
  { ledgerRef }: TableObjects,
  keys: readonly { readonly key: OffsetKey; readonly holding: Holding }[],
  { author, nowMs }: Stamp
): Statement {
  const by = authorBinds(author)
  return {
    text: [
      `MERGE INTO ${ledgerRef} AS L`,
      `USING ${KEYS} AS K`,
      `ON ${SAME_KEY}`,
      'WHEN MATCHED THEN UPDATE SET COMMIT_ID = K.HOLDING, PIPELINE = ?, PIPELINE_CREATED_AT = ?, CONSUMER_ID = ?',
      `WHEN NOT MATCHED THEN INSERT (${LEDGER_NAMES})`,
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
  binds: [keysJson(moves), timestampText(nowMs), ...authorBinds(author)]
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
    `WHEN NOT MATCHED THEN INSERT (${LEDGER_NAMES})`,
    'VALUES (K.TOPIC, K.TOPIC_ID, K.PARTITION_ID, K.EPOCH, K.NEXT_OFFSET, K.HOLDING, ?::TIMESTAMP_NTZ, ?, ?, ?)'
  ].join('\n'),
  binds: [
    keysJson(pins.map(({ key, next }) => ({ key, next, holding: { writeId: '', mark: undefined } }))),
    timestampText(nowMs),
    ...authorBinds(author)
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
  const { nextOffset, commitId, ...entry } = ledgerRow(row, NONE)
  return { ...entry, nextOffset: nextOffset === NONE ? undefined : nextOffset, ...parseHolding(commitId) }
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

const KEYS = boundKeys([
  ['next', 'NUMBER(38,0)', 'NEXT_OFFSET'],
  ['writeId', 'VARCHAR', 'WRITE_ID'],
  ['holding', 'VARCHAR', 'HOLDING']
])

const SAME_WRITER = "SPLIT_PART(L.COMMIT_ID, '/', 1) = K.WRITE_ID"
