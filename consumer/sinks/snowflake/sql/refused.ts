import { FatalError } from '../../../../lib/errors.ts'
import type { CommitAuthor } from '../../../sink.ts'
import type { Column } from './column.ts'
import { intoDeadLetters } from './dead-letters.ts'
import { literal } from './identifier.ts'
import { hardRefusals, reasonExpression } from './refusals.ts'
import type { Row, Statement } from '../session/session.ts'
import { staged, type Source } from './source.ts'
import { metadataColumn, ownColumns, type SnowflakeTable } from './table.ts'
import { timestampText } from './timestamp-text.ts'
import { bytesObject, jsonOrText, object } from './variant.ts'

/** The reason of dead letters that Snowflake decided; names are never changed. */
export const REFUSED = 'RefusedBySnowflake'

/** Whether the table could refuse a row at all. */
export const canRefuse = (table: SnowflakeTable): boolean => hardRefusals(table).length > 0

export interface RefusedCount {
  readonly topic: string
  readonly partition: number
  readonly refused: number
}

/** How many rows of the batch are refused, by partition. */
export function countRefused(table: SnowflakeTable, source: Source): Statement {
  const [topic, partition] = [metadataColumn(table, 'Topic'), metadataColumn(table, 'Partition')].map(staged)
  return {
    text: [
      `SELECT ${topic} AS TOPIC, ${partition} AS PARTITION_ID, COUNT(*) AS REFUSED`,
      `FROM ${source.text} AS B`,
      `WHERE ${reason(table)} IS NOT NULL`,
      `GROUP BY ${topic}, ${partition}`
    ].join('\n'),
    binds: source.binds
  }
}

export const refusedCounts = (rows: readonly Row[]): readonly RefusedCount[] =>
  rows.map(row => ({
    topic: row['TOPIC'] ?? '',
    partition: Number(row['PARTITION_ID']),
    refused: Number(row['REFUSED'])
  }))

/** One refused record, for the error of policies that have no place for it here. */
export function firstRefused(table: SnowflakeTable, source: Source): Statement {
  const [topic, partition, offset] = (['Topic', 'Partition', 'Offset'] as const).map(each =>
    staged(metadataColumn(table, each))
  )
  return {
    text: [
      `SELECT ${topic} AS TOPIC, ${partition} AS PARTITION_ID, ${offset} AS RECORD_OFFSET, ${reason(table)} AS REASON`,
      `FROM ${source.text} AS B`,
      `WHERE ${reason(table)} IS NOT NULL`,
      'LIMIT 1'
    ].join('\n'),
    binds: source.binds
  }
}

/** Nothing of the batch may be in when this is thrown. */
export function refusedError({ objects }: SnowflakeTable, rows: readonly Row[]): FatalError {
  const [row] = rows
  const record = row === undefined ? 'A record' : `${row['TOPIC']}-${row['PARTITION_ID']}-${row['RECORD_OFFSET']}`
  return new FatalError(
    REFUSED,
    `Table ${objects.schema}.${objects.table} cannot take ${record}: ${row?.['REASON'] ?? 'its rows were not all inserted'}. ` +
      'Set spec.deadLetters.policy to Table, or change the column.'
  )
}

/** The refused rows as dead letters: all that was staged of them is kept. */
export function insertRefused(
  table: SnowflakeTable,
  source: Source,
  { author, failedAtMs }: { readonly author: CommitAuthor; readonly failedAtMs: number }
): Statement {
  const { metadata } = table
  const member = (key: string, column: Column | undefined) =>
    column === undefined ? [] : [[key, kept(column)] as const]
  const offset = staged(metadataColumn(table, 'Offset'))
  const values = [
    '?::TIMESTAMP_NTZ',
    `${literal(`${REFUSED}: `)} || ${reason(table)}`,
    payload(table),
    object([
      ...member('topic', metadata.Topic),
      ...member('partition', metadata.Partition),
      ['offset', offset],
      ['last_offset', offset],
      ...member('timestamp', metadata.Timestamp),
      ...member('key', metadata.Key),
      ...member('headers', metadata.Headers),
      ...member('ingestion_id', metadata.IngestionId),
      ['reason', literal(REFUSED)],
      ['stage', literal('Load')],
      ['pipeline', '?'],
      ['consumer_id', '?']
    ])
  ]
  return {
    text: [
      intoDeadLetters(table),
      `SELECT\n  ${values.join(',\n  ')}`,
      `FROM ${source.text} AS B`,
      `WHERE ${reason(table)} IS NOT NULL`
    ].join('\n'),
    binds: [timestampText(failedAtMs), author.pipeline, author.consumerId, ...source.binds]
  }
}

/** The value as it came; where the table does not have it, everything that the row would have had. */
function payload(table: SnowflakeTable): string {
  const { Value: value } = table.metadata
  if (value === undefined) {
    const members = ownColumns(table).map(column => [column.name, kept(column)] as const)
    return `${object(members)}::VARIANT`
  }
  return value.field.type === 'binary' ? `${kept(value)}::VARIANT` : jsonOrText(staged(value))
}

const kept = (column: Column): string => (column.field.type === 'binary' ? bytesObject(staged(column)) : staged(column))

const reason = (table: SnowflakeTable): string => reasonExpression(hardRefusals(table)) ?? 'NULL'
