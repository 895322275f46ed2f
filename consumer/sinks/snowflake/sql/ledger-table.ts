import { FatalError } from '../../../../lib/errors.ts'
import type { CommitAuthor } from '../../../sink.ts'
import { formatKey, parseKey, type OffsetKey } from '../../offset-key.ts'
import type { TableObjects } from './objects.ts'
import type { Bind, Row, Statement } from '../session/session.ts'

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

/** Their names, as an INSERT lists them. */
export const LEDGER_NAMES = LEDGER_COLUMNS.map(({ name }) => name).join(', ')

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

/** Nothing can be locked, and nothing may be committed. */
export const sentinelMissing = ({ ledgerRef }: TableObjects): FatalError =>
  new FatalError(
    'LedgerDamaged',
    `${ledgerRef} lacks its row with the empty TOPIC, which every commit locks: somebody deleted it. Restart the consumers: they ` +
      'write it anew.'
  )

/** All that the ledger holds for topics: every incarnation, every partition. */
export const readTopics = ({ ledgerRef }: TableObjects, topics: readonly string[]): Statement => ({
  text: [
    `SELECT ${HELD}`,
    `FROM ${ledgerRef} AS L`,
    'WHERE L.TOPIC IN (SELECT F.VALUE::VARCHAR FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F)'
  ].join('\n'),
  binds: [JSON.stringify(topics)]
})

/** What the ledger holds for these keys. */
export const readKeys = ({ ledgerRef }: TableObjects, keys: readonly OffsetKey[]): Statement => ({
  text: `SELECT ${HELD}\nFROM ${ledgerRef} AS L\nJOIN ${boundKeys([])} AS K\nON ${SAME_KEY}`,
  binds: [JSON.stringify(keys)]
})

/** A relation of keys, with further columns: one bind, a JSON array of them. A member that is not there, or null, is NULL. */
export function boundKeys(more: readonly (readonly [member: string, type: string, name: string])[]): string {
  const columns = [
    ['topic', 'VARCHAR', 'TOPIC'],
    ['topicId', 'VARCHAR', 'TOPIC_ID'],
    ['partition', 'NUMBER(38,0)', 'PARTITION_ID'],
    ['epoch', 'NUMBER(38,0)', 'EPOCH'],
    ...more
  ].map(([member, type, name]) => `    F.VALUE:"${member}"::${type} AS ${name}`)
  return `(\n  SELECT\n${columns.join(',\n')}\n  FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F\n)`
}

/** Of the ledger `L` and `boundKeys` as `K`. */
export const SAME_KEY =
  'L.TOPIC = K.TOPIC AND L.TOPIC_ID = K.TOPIC_ID AND L.PARTITION_ID = K.PARTITION_ID AND L.EPOCH = K.EPOCH'

/** What is bound for PIPELINE, PIPELINE_CREATED_AT and CONSUMER_ID. */
export const authorBinds = ({ pipeline, createdAt, consumerId }: CommitAuthor): readonly Bind[] => [
  pipeline,
  createdAt ?? null,
  consumerId
]

export interface LedgerRow {
  readonly key: OffsetKey
  readonly nextOffset: number
  readonly commitId: string
  readonly updatedMs: number
  /** Who moved it last. */
  readonly author: CommitAuthor | undefined
}

/** FatalError `LedgerDamaged` when it is none that we write: no key, or an offset below `least`. */
export function ledgerRow(row: Row, least: number): LedgerRow {
  const key = {
    topic: row['TOPIC'] ?? '',
    topicId: row['TOPIC_ID'] ?? '',
    partition: Number(row['PARTITION_ID']),
    epoch: Number(row['EPOCH'])
  }
  const nextOffset = Number(row['NEXT_OFFSET'])
  if (parseKey(formatKey(key)) === undefined || !Number.isSafeInteger(nextOffset) || nextOffset < least) {
    throw new FatalError(
      'LedgerDamaged',
      `The offsets table has a row that no consumer writes: topic ${key.topic}, partition ${row['PARTITION_ID']}, NEXT_OFFSET ${row['NEXT_OFFSET']}. Correct or delete it.`
    )
  }
  const { PIPELINE: pipeline, PIPELINE_CREATED_AT: createdAt, CONSUMER_ID: consumerId } = row
  return {
    key,
    nextOffset,
    commitId: row['COMMIT_ID'] ?? '',
    updatedMs: Number(row['COMMITTED_MS'] ?? 0),
    author: pipeline == null ? undefined : { pipeline, createdAt: createdAt ?? undefined, consumerId: consumerId ?? '' }
  }
}

const HELD = [
  ...['TOPIC', 'TOPIC_ID', 'PARTITION_ID', 'EPOCH', 'NEXT_OFFSET', 'COMMIT_ID'].map(name => `L.${name}`),
  'DATE_PART(EPOCH_MILLISECOND, L.COMMITTED_AT) AS COMMITTED_MS',
  ...['PIPELINE', 'PIPELINE_CREATED_AT', 'CONSUMER_ID'].map(name => `L.${name}`)
].join(', ')
