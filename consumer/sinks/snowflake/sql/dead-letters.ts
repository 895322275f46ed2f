import { quoted } from './identifier.ts'
import { invariant } from '../../../../lib/errors.ts'
import type { Column } from './column.ts'
import type { Statement } from '../session/session.ts'
import { staged, type Source } from './source.ts'
import { DEAD_LETTER_COLUMNS, type SnowflakeTable } from './table.ts'
import { jsonTextOrBytes, object } from './variant.ts'

/** The columns of every dead-letter table, in this order. */
export const DEAD_LETTER_TABLE = [
  { name: 'FAILED_AT', type: 'TIMESTAMP_NTZ', comment: 'UTC' },
  { name: 'ERROR_MESSAGE', type: 'VARCHAR', comment: 'reason: details' },
  {
    name: 'RAW_PAYLOAD',
    type: 'VARIANT',
    comment: 'The value: JSON where it is that, a string where it is text, else {"base64": ...}.'
  },
  {
    name: 'KAFKA_METADATA',
    type: 'VARIANT',
    comment:
      'topic, partition, offset, last_offset, timestamp, key, headers, ingestion_id, reason, stage, pipeline, consumer_id'
  }
] as const

/** Where the statements that fill a dead-letter table begin. */
export function intoDeadLetters({ objects }: SnowflakeTable): string {
  invariant(objects.deadLetterRef !== undefined, 'dead letters come only under policy Table')
  return `INSERT INTO ${objects.deadLetterRef} (${DEAD_LETTER_TABLE.map(({ name }) => quoted(name)).join(', ')})`
}

/** The dead letters that we decided; it inserts all that were staged. */
export function insertDeadLetters(table: SnowflakeTable, source: Source): Statement {
  const of = (field: string) => staged(deadLetterColumn(field))
  const values = [
    `${of('failed_at')}::TIMESTAMP_NTZ`,
    `${of('reason')} || ': ' || ${of('error')}`,
    jsonTextOrBytes(of('value')),
    object([
      ['topic', of('_kafka_topic')],
      ['partition', of('_kafka_partition')],
      ['offset', of('_kafka_offset')],
      ['last_offset', of('_kafka_last_offset')],
      ['timestamp', of('_kafka_timestamp')],
      ['key', `STRIP_NULL_VALUE(${of('_kafka_key')})`],
      ['headers', of('_kafka_headers')],
      ['ingestion_id', of('_ingestion_id')],
      ['reason', of('reason')],
      ['stage', of('stage')],
      ['pipeline', of('pipeline')],
      ['consumer_id', of('consumer_id')]
    ])
  ]
  return {
    text: `${intoDeadLetters(table)}\nSELECT\n  ${values.join(',\n  ')}\nFROM ${source.text} AS B`,
    binds: source.binds
  }
}

function deadLetterColumn(field: string): Column {
  const column = DEAD_LETTER_COLUMNS.find(each => each.field.name === field)
  invariant(column !== undefined, `dead letters have ${field}`)
  return column
}
