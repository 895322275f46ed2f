import type { HistoryEntry } from '../../history.ts'
import type { Row, Statement } from '../session/session.ts'
import type { SnowflakeTable } from '../sql/table.ts'
import { timestampText } from '../sql/timestamp-text.ts'

/** Of rows; the end is exclusive. */
interface Between {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * What went into the table, by topic and time of ingestion: that is one for all rows of a batch, so that each row of the result is
 * one commit but for chance. Undefined when the table has no column of that time.
 */
export function rowsTaken(table: SnowflakeTable, { fromMs, toMs }: Between): Statement | undefined {
  const { IngestedAt: time, Topic: topic } = table.metadata
  if (time === undefined || time.field.isStagedOnly === true) return undefined
  const ofTopic = topic === undefined || topic.field.isStagedOnly === true ? 'NULL' : `T.${topic.ref}`
  return {
    text: [
      `SELECT DATE_PART(EPOCH_MILLISECOND, T.${time.ref}) AS TAKEN_MS, ${ofTopic} AS TOPIC, COUNT(*) AS RECORDS`,
      `FROM ${table.objects.tableRef} AS T`,
      `WHERE T.${time.ref} >= ?::TIMESTAMP_NTZ AND T.${time.ref} < ?::TIMESTAMP_NTZ`,
      `GROUP BY T.${time.ref}${ofTopic === 'NULL' ? '' : `, ${ofTopic}`}`,
      'ORDER BY TAKEN_MS, TOPIC'
    ].join('\n'),
    binds: [timestampText(fromMs), timestampText(toMs)]
  }
}

/** Dead letters tell when each of them failed: they are counted by minute. Undefined when there is no dead-letter table. */
export function lettersTaken({ objects }: SnowflakeTable, { fromMs, toMs }: Between): Statement | undefined {
  if (objects.deadLetterRef === undefined) return undefined
  return {
    text: [
      "SELECT DATE_PART(EPOCH_MILLISECOND, DATE_TRUNC('MINUTE', D.FAILED_AT)) AS TAKEN_MS,",
      '  D.KAFKA_METADATA:"topic"::VARCHAR AS TOPIC, D.KAFKA_METADATA:"pipeline"::VARCHAR AS PIPELINE, COUNT(*) AS DEAD_LETTERS',
      `FROM ${objects.deadLetterRef} AS D`,
      'WHERE D.FAILED_AT >= ?::TIMESTAMP_NTZ AND D.FAILED_AT < ?::TIMESTAMP_NTZ',
      'GROUP BY TAKEN_MS, TOPIC, PIPELINE',
      'ORDER BY TAKEN_MS, TOPIC, PIPELINE'
    ].join('\n'),
    binds: [timestampText(fromMs), timestampText(toMs)]
  }
}

/** `topic` is what is said of rows that do not tell theirs. */
export const takenRows = (rows: readonly Row[], topic: string): readonly HistoryEntry[] =>
  rows.map(row => {
    const committedMs = Number(row['TAKEN_MS'])
    return {
      committedMs,
      version: timestampText(committedMs),
      pipeline: undefined,
      topic: row['TOPIC'] ?? topic,
      records: Number(row['RECORDS']),
      deadLetters: 0
    }
  })

export const takenLetters = (rows: readonly Row[], topic: string): readonly HistoryEntry[] =>
  rows.map(row => {
    const committedMs = Number(row['TAKEN_MS'])
    const pipeline = row['PIPELINE'] ?? undefined
    return {
      committedMs,
      version: `dead letters ${timestampText(committedMs)} ${pipeline ?? ''}`,
      pipeline,
      topic: row['TOPIC'] ?? topic,
      records: 0,
      deadLetters: Number(row['DEAD_LETTERS']),
      commits: 'unknown'
    }
  })
