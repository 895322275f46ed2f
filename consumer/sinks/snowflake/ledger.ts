import { FatalError } from '../../../lib/errors.ts'
import type { PartitionId } from '../../partition.ts'
import type { CommitAuthor } from '../../sink.ts'
import { formatKey, parseKey, type KeyOffset, type MergedRange, type OffsetKey } from '../offset-key.ts'
import type { TableObjects } from './objects.ts'
import type { Row, Statement } from './session/session.ts'
import { timestampText } from './timestamp-text.ts'

/** Columns of a table's ledger: the offsets that it holds, one row per key, and one row that is only there to be locked. */
export const LEDGER_COLUMNS = [
  { name: 'TOPIC', type: 'VARCHAR NOT NULL', comment: 'Empty in the row that writers lock; never delete that row.' },
  { name: 'TOPIC_ID', type: 'VARCHAR NOT NULL', comment: 'Id of the topic in Kafka; empty when its broker has none.' },
  { name: 'PARTITION_ID', type: 'NUMBER(38,0) NOT NULL' },
  {
    name: 'EPOCH',
    type: 'NUMBER(38,0) NOT NULL',
    comment: 'Incarnations of the topic that the table has seen, from 0.'
  },
  { name: 'NEXT_OFFSET', type: 'NUMBER(38,0) NOT NULL', comment: 'The next to read: the table holds all before it.' },
  { name: 'COMMIT_ID', type: 'VARCHAR' },
  { name: 'COMMITTED_AT', type: 'TIMESTAMP_NTZ', comment: 'UTC' },
  { name: 'PIPELINE', type: 'VARCHAR', comment: 'namespace/name' },
  { name: 'PIPELINE_CREATED_AT', type: 'VARCHAR' },
  { name: 'CONSUMER_ID', type: 'VARCHAR' }
] as const

export interface Move {
  /** Tells our moves from those of others while we hold the lock: unique per commit. */
  readonly commitId: string
  readonly author: CommitAuthor
  readonly committedAtMs: number
}

/**
 * The row that every commit updates first. Two sessions that make it at one time may make two, which is as good: a session that
 * commits has seen its own or another's, and of two sessions one sees what the other locks.
 */
export const addSentinel = ({ ledgerRef }: TableObjects): Statement => ({
  text: [
    `MERGE INTO ${ledgerRef} AS L`,
    "USING (SELECT '' AS TOPIC) AS K",
    'ON L.TOPIC = K.TOPIC',
    "WHEN NOT MATCHED THEN INSERT (TOPIC, TOPIC_ID, PARTITION_ID, EPOCH, NEXT_OFFSET) VALUES ('', '', -1, 0, 0)"
  ].join('\n'),
  binds: []
})

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
  const names = LEDGER_COLUMNS.map(({ name }) => name)
  const by = [commitId, timestampText(committedAtMs), author.pipeline, author.createdAt ?? null, author.consumerId]
  return {
    text: [
      `MERGE INTO ${ledgerRef} AS L`,
      `USING ${KEYS} AS K`,
      `ON ${SAME_KEY}`,
      'WHEN MATCHED AND L.NEXT_OFFSET = K.EXPECTED THEN UPDATE SET',
      `  NEXT_OFFSET = K.NEXT_OFFSET, ${set.join(', ')}`,
      `WHEN NOT MATCHED AND K.EXPECTED IS NULL THEN INSERT (${names.join(', ')})`,
      'VALUES (K.TOPIC, K.TOPIC_ID, K.PARTITION_ID, K.EPOCH, K.NEXT_OFFSET, ?, ?::TIMESTAMP_NTZ, ?, ?, ?)'
    ].join('\n'),
    binds: [keysJson(merged), ...by, ...by]
  }
}

/** What the ledger holds for the keys of a commit; in its own transaction, after a move that counted otherwise. */
export const readKeys = ({ ledgerRef }: TableObjects, merged: ReadonlyMap<string, MergedRange>): Statement => ({
  text: `SELECT ${HELD}\nFROM ${ledgerRef} AS L\nJOIN ${KEYS} AS K\nON ${SAME_KEY}`,
  binds: [keysJson(merged)]
})

/**
 * Who is where we expected to be. No partitions: every key is where this commit would put it, by an earlier attempt whose outcome
 * nobody learned; it is in. FatalError `LedgerDamaged` when a key is there twice.
 */
export function fencedBy(
  rows: readonly Row[],
  merged: ReadonlyMap<string, MergedRange>,
  commitId: string
): { readonly partitions: readonly PartitionId[]; readonly by: CommitAuthor | undefined } {
  const held = Map.groupBy(rows, row => formatKey(keyOf(row)))
  const twice = [...held].find(([, { length }]) => length > 1)
  if (twice !== undefined) {
    throw new FatalError(
      'LedgerDamaged',
      `The offsets table has the key ${twice[0]} more than once. Delete all but the one of the highest NEXT_OFFSET.`
    )
  }
  const moved = [...merged].filter(([key]) => held.get(key)?.[0]?.['COMMIT_ID'] !== commitId)
  const others = moved.flatMap(([key]) => held.get(key) ?? [])
  return {
    partitions: [...new Set(moved.map(([, { id }]) => id))],
    by: others.map(authorOf).find(each => each !== undefined)
  }
}

/** All that the ledger holds for topics: every incarnation, every partition. */
export const readLedger = ({ ledgerRef }: TableObjects, topics: readonly string[]): Statement => ({
  text: [
    `SELECT ${HELD}`,
    `FROM ${ledgerRef} AS L`,
    'WHERE L.TOPIC IN (SELECT F.VALUE::VARCHAR FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F)'
  ].join('\n'),
  binds: [JSON.stringify(topics)]
})

/** For `newestOffsets`. FatalError `LedgerDamaged` when a row is none that we write. */
export const ledgerRows = (rows: readonly Row[]): readonly KeyOffset[] =>
  rows.map(row => {
    const key = keyOf(row)
    const nextOffset = Number(row['NEXT_OFFSET'])
    if (parseKey(formatKey(key)) === undefined || !Number.isSafeInteger(nextOffset) || nextOffset < 0) {
      throw new FatalError(
        'LedgerDamaged',
        `The offsets table has a row that no consumer writes: topic ${key.topic}, partition ${row['PARTITION_ID']}, NEXT_OFFSET ${row['NEXT_OFFSET']}. Correct or delete it.`
      )
    }
    return { key, nextOffset, updatedMs: Number(row['COMMITTED_MS'] ?? 0) }
  })

/** Who moved a row last. */
export function authorOf(row: Row): CommitAuthor | undefined {
  const { PIPELINE: pipeline, PIPELINE_CREATED_AT: createdAt, CONSUMER_ID: consumerId } = row
  if (pipeline === null || pipeline === undefined) return undefined
  return { pipeline, createdAt: createdAt ?? undefined, consumerId: consumerId ?? '' }
}

const keyOf = (row: Row): OffsetKey => ({
  topic: row['TOPIC'] ?? '',
  topicId: row['TOPIC_ID'] ?? '',
  partition: Number(row['PARTITION_ID']),
  epoch: Number(row['EPOCH'])
})

function keysJson(merged: ReadonlyMap<string, MergedRange>): string {
  return JSON.stringify([...merged].map(([key, { expected, next }]) => ({ ...parseKey(key), expected, next })))
}

/** The keys as they are bound; one without an expected offset has no such member. */
const KEYS = `(
  SELECT
    F.VALUE:"topic"::VARCHAR AS TOPIC,
    F.VALUE:"topicId"::VARCHAR AS TOPIC_ID,
    F.VALUE:"partition"::NUMBER(38,0) AS PARTITION_ID,
    F.VALUE:"epoch"::NUMBER(38,0) AS EPOCH,
    F.VALUE:"expected"::NUMBER(38,0) AS EXPECTED,
    F.VALUE:"next"::NUMBER(38,0) AS NEXT_OFFSET
  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F
)`

const SAME_KEY =
  'L.TOPIC = K.TOPIC AND L.TOPIC_ID = K.TOPIC_ID AND L.PARTITION_ID = K.PARTITION_ID AND L.EPOCH = K.EPOCH'

const HELD = [
  ...['TOPIC', 'TOPIC_ID', 'PARTITION_ID', 'EPOCH', 'NEXT_OFFSET', 'COMMIT_ID'].map(name => `L.${name}`),
  'DATE_PART(EPOCH_MILLISECOND, L.COMMITTED_AT) AS COMMITTED_MS',
  ...['PIPELINE', 'PIPELINE_CREATED_AT', 'CONSUMER_ID'].map(name => `L.${name}`)
].join(', ')
