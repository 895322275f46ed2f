import { FatalError } from '../../../../lib/errors.ts'
import type { PartitionId } from '../../../partition.ts'
import type { CommitAuthor } from '../../../sink.ts'
import { formatKey, parseKey, type KeyOffset, type MergedRange, type OffsetKey } from '../../offset-key.ts'
import { authorBinds, boundKeys, LEDGER_NAMES, ledgerRow, SAME_KEY } from './ledger-table.ts'
import type { TableObjects } from './objects.ts'
import type { Row, Statement } from '../session/session.ts'
import { timestampText } from './timestamp-text.ts'

export interface Move {
  /** Tells our moves from those of others while we hold the lock: unique per commit. */
  readonly commitId: string
  readonly author: CommitAuthor
  readonly committedAtMs: number
}

/**
 * Takes the ledger's lock, which this transaction then holds to its end. UPDATE, DELETE and MERGE lock what they change; another
 * transaction's waits (sql-reference/transactions, "Resource locking"). READ COMMITTED gives each statement what was committed
 * before it began, so this one, which may have begun before it waited, must not compare anything: the next one does. That one
 * sees this change, hence all that was committed to the ledger before it; a mere SELECT of another session may miss what was
 * committed just now ("Read consistency across sessions"), so nothing but a move under this lock decides anything.
 * It affects no row when the sentinel is not there: nothing is locked then, and nothing may be committed.
 */
export const lockLedger = ({ ledgerRef }: TableObjects, { commitId, committedAtMs }: Move): Statement => ({
  text: `UPDATE ${ledgerRef} SET COMMIT_ID = ?, COMMITTED_AT = ?::TIMESTAMP_NTZ WHERE TOPIC = ''`,
  binds: [commitId, timestampText(committedAtMs)]
})

/**
 * Moves each key that is where it is expected; one of which nothing is expected must have no row. The rows it inserts and updates
 * are as many as there are keys, or the commit is fenced. It comes last before COMMIT: other commits wait from the lock on.
 */
export function moveLedger(
  { ledgerRef }: TableObjects,
  merged: ReadonlyMap<string, MergedRange>,
  { commitId, author, committedAtMs }: Move
): Statement {
  const set = [
    'COMMIT_ID = ?',
    'COMMITTED_AT = ?::TIMESTAMP_NTZ',
    'PIPELINE = ?',
    'PIPELINE_CREATED_AT = ?',
    'CONSUMER_ID = ?'
  ]
  const by = [commitId, timestampText(committedAtMs), ...authorBinds(author)]
  return {
    text: [
      `MERGE INTO ${ledgerRef} AS L`,
      `USING ${KEYS} AS K`,
      `ON ${SAME_KEY}`,
      'WHEN MATCHED AND L.NEXT_OFFSET = K.EXPECTED THEN UPDATE SET',
      `  NEXT_OFFSET = K.NEXT_OFFSET, ${set.join(', ')}`,
      `WHEN NOT MATCHED AND K.EXPECTED IS NULL THEN INSERT (${LEDGER_NAMES})`,
      'VALUES (K.TOPIC, K.TOPIC_ID, K.PARTITION_ID, K.EPOCH, K.NEXT_OFFSET, ?, ?::TIMESTAMP_NTZ, ?, ?, ?)'
    ].join('\n'),
    binds: [keysJson(merged), ...by, ...by]
  }
}

/**
 * Who is where we expected to be. No partitions: every key is where this commit would put it, by an earlier attempt whose outcome
 * nobody learned; it is in. FatalError `LedgerDamaged` when a key is there twice.
 */
export function fencedBy(
  rows: readonly Row[],
  merged: ReadonlyMap<string, MergedRange>,
  commitId: string
): { readonly partitions: readonly PartitionId[]; readonly by: CommitAuthor | undefined } {
  const held = Map.groupBy(
    rows.map(row => ledgerRow(row, 0)),
    ({ key }) => formatKey(key)
  )
  const twice = [...held].find(([, { length }]) => length > 1)
  if (twice !== undefined) {
    throw new FatalError(
      'LedgerDamaged',
      `The offsets table has the key ${twice[0]} more than once. Delete all but the one of the highest NEXT_OFFSET.`
    )
  }
  const moved = [...merged].filter(([key]) => held.get(key)?.[0]?.commitId !== commitId)
  const others = moved.flatMap(([key]) => held.get(key) ?? [])
  return {
    partitions: [...new Set(moved.map(([, { id }]) => id))],
    by: others.find(({ author }) => author !== undefined)?.author
  }
}

/** For `newestOffsets`. FatalError `LedgerDamaged` when a row is none that we write. */
export const ledgerRows = (rows: readonly Row[]): readonly KeyOffset[] => rows.map(row => ledgerRow(row, 0))

export const keysOf = (merged: ReadonlyMap<string, MergedRange>): readonly OffsetKey[] =>
  [...merged.keys()].flatMap(key => parseKey(key) ?? [])

function keysJson(merged: ReadonlyMap<string, MergedRange>): string {
  return JSON.stringify([...merged].map(([key, { expected, next }]) => ({ ...parseKey(key), expected, next })))
}

/** One without an expected offset has no such member. */
const KEYS = boundKeys([
  ['expected', 'NUMBER(38,0)', 'EXPECTED'],
  ['next', 'NUMBER(38,0)', 'NEXT_OFFSET']
])
