import type { CommitAuthor, Staged } from '../../../sink.ts'
import type { HistoryEntry } from '../../history.ts'
import type { TableObjects } from './objects.ts'
import type { RefusedCount } from './refused.ts'
import type { Row, Statement } from '../session/session.ts'
import { timestampText } from './timestamp-text.ts'

/** Columns of a table's record of commits: one row per commit and key, never changed. History and unknown outcomes read it. */
export const COMMITS_COLUMNS = [
  { name: 'COMMIT_ID', type: 'VARCHAR NOT NULL' },
  { name: 'COMMITTED_AT', type: 'TIMESTAMP_NTZ NOT NULL', comment: 'UTC' },
  { name: 'PIPELINE', type: 'VARCHAR', comment: 'namespace/name' },
  { name: 'CONSUMER_ID', type: 'VARCHAR' },
  { name: 'TOPIC', type: 'VARCHAR NOT NULL' },
  { name: 'TOPIC_ID', type: 'VARCHAR NOT NULL' },
  { name: 'PARTITION_ID', type: 'NUMBER(38,0) NOT NULL' },
  { name: 'EPOCH', type: 'NUMBER(38,0) NOT NULL' },
  { name: 'FROM_OFFSET', type: 'NUMBER(38,0)', comment: 'What the table held before; null when it held nothing.' },
  { name: 'NEXT_OFFSET', type: 'NUMBER(38,0) NOT NULL' },
  { name: 'RECORDS', type: 'NUMBER(38,0) NOT NULL', comment: 'Rows of the table.' },
  { name: 'DEAD_LETTERS', type: 'NUMBER(38,0) NOT NULL', comment: 'Rows of the dead-letter table.' }
] as const

export interface CommitRow {
  readonly commitId: string
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly epoch: number
  readonly from: number | undefined
  readonly next: number
  readonly records: number
  readonly deadLetters: number
}

/** A row per range. What Snowflake refused of a partition was staged as its records and became dead letters. */
export function commitRows(staged: readonly Staged[], refused: readonly RefusedCount[]): readonly CommitRow[] {
  const left = new Map(refused.map(each => [`${each.partition}:${each.topic}`, each.refused]))
  return staged.flatMap(({ commitId, ranges }) =>
    ranges.map(({ topic, topicId, partition, epoch, expectedOffset, nextOffset, records, deadLetters }) => {
      const key = `${partition}:${topic}`
      const moved = Math.min(records, left.get(key) ?? 0)
      left.set(key, (left.get(key) ?? 0) - moved)
      const counts = { records: records - moved, deadLetters: deadLetters + moved }
      return { commitId, topic, topicId, partition, epoch, from: expectedOffset, next: nextOffset, ...counts }
    })
  )
}

export function insertCommits(
  { commitsRef }: TableObjects,
  rows: readonly CommitRow[],
  { author, committedAtMs }: { readonly author: CommitAuthor; readonly committedAtMs: number }
): Statement {
  return {
    text: [
      `INSERT INTO ${commitsRef} (${COMMITS_COLUMNS.map(({ name }) => name).join(', ')})`,
      'SELECT',
      '  F.VALUE:"commitId"::VARCHAR, ?::TIMESTAMP_NTZ, ?, ?,',
      '  F.VALUE:"topic"::VARCHAR, F.VALUE:"topicId"::VARCHAR,',
      '  F.VALUE:"partition"::NUMBER(38,0), F.VALUE:"epoch"::NUMBER(38,0),',
      '  F.VALUE:"from"::NUMBER(38,0), F.VALUE:"next"::NUMBER(38,0),',
      '  F.VALUE:"records"::NUMBER(38,0), F.VALUE:"deadLetters"::NUMBER(38,0)',
      'FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F'
    ].join('\n'),
    binds: [timestampText(committedAtMs), author.pipeline, author.consumerId, JSON.stringify(rows)]
  }
}

/** Clocks of consumers may differ by so much. */
const CLOCK_MS = 86_400_000

/** Which of these commits, none made before `sinceMs`, are in: rows COMMIT_ID. */
export const findCommits = (
  { commitsRef }: TableObjects,
  commitIds: readonly string[],
  sinceMs: number
): Statement => ({
  text: [
    'SELECT DISTINCT C.COMMIT_ID',
    `FROM ${commitsRef} AS C`,
    'WHERE C.COMMITTED_AT >= ?::TIMESTAMP_NTZ',
    '  AND C.COMMIT_ID IN (SELECT F.VALUE::VARCHAR FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) AS F)'
  ].join('\n'),
  binds: [timestampText(sinceMs - CLOCK_MS), JSON.stringify(commitIds)]
})

/** What went into the table, oldest first. */
export const readHistory = ({ commitsRef }: TableObjects, sinceMs: number, untilMs: number): Statement => ({
  text: [
    'SELECT DATE_PART(EPOCH_MILLISECOND, C.COMMITTED_AT) AS COMMITTED_MS, C.COMMIT_ID, C.PIPELINE, C.TOPIC,',
    '  SUM(C.RECORDS) AS RECORDS, SUM(C.DEAD_LETTERS) AS DEAD_LETTERS',
    `FROM ${commitsRef} AS C`,
    'WHERE C.COMMITTED_AT >= ?::TIMESTAMP_NTZ AND C.COMMITTED_AT < ?::TIMESTAMP_NTZ',
    'GROUP BY C.COMMITTED_AT, C.COMMIT_ID, C.PIPELINE, C.TOPIC',
    'ORDER BY C.COMMITTED_AT, C.COMMIT_ID, C.TOPIC'
  ].join('\n'),
  binds: [timestampText(sinceMs), timestampText(untilMs)]
})

export const historyEntries = (rows: readonly Row[]): readonly HistoryEntry[] =>
  rows.map(row => ({
    committedMs: Number(row['COMMITTED_MS']),
    version: row['COMMIT_ID'] ?? '',
    pipeline: row['PIPELINE'] ?? undefined,
    topic: row['TOPIC'] ?? '',
    records: Number(row['RECORDS']),
    deadLetters: Number(row['DEAD_LETTERS'])
  }))

/** Outside commits: DELETE locks what it changes. */
export const pruneCommits = ({ commitsRef }: TableObjects, beforeMs: number): Statement => ({
  text: `DELETE FROM ${commitsRef} WHERE COMMITTED_AT < ?::TIMESTAMP_NTZ`,
  binds: [timestampText(beforeMs)]
})
