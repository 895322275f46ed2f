import type { Row, Statement } from '../session/session.ts'
import { literal } from './identifier.ts'
import { staged, type Source } from './source.ts'
import { metadataColumn, type BadRow, type SnowflakeTable } from './table.ts'

/** Offsets of one partition, both inclusive. */
export interface Bounds {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** Rows that follow one another in the order of topic, partition and offset: all of these partitions, or offsets of one. */
export type Slice = readonly Bounds[]

/** No record is there: what fails for it fails for another reason than a row. */
export const NO_ROWS: Slice = [{ topic: '', partition: -1, from: -1, to: -1 }]

/** Where the rows of a batch are. */
export function findBounds(table: SnowflakeTable, source: Source): Statement {
  const { topic, partition, offset } = coordinates(table)
  return {
    text: [
      `SELECT ${topic} AS TOPIC, ${partition} AS PARTITION_ID, MIN(${offset}) AS FIRST_OFFSET, MAX(${offset}) AS LAST_OFFSET`,
      `FROM ${source.text} AS B`,
      `GROUP BY ${topic}, ${partition}`
    ].join('\n'),
    binds: source.binds
  }
}

export const boundsOf = (rows: readonly Row[]): Slice =>
  rows
    .map(row => ({
      topic: row['TOPIC'] ?? '',
      partition: Number(row['PARTITION_ID']),
      from: Number(row['FIRST_OFFSET']),
      to: Number(row['LAST_OFFSET'])
    }))
    .toSorted((one, other) =>
      one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1
    )

/** Two slices with the same rows; none when there is only one offset. */
export function halves(slice: Slice): readonly Slice[] {
  if (slice.length > 1) {
    const middle = slice.length >> 1
    return [slice.slice(0, middle), slice.slice(middle)]
  }
  const [only] = slice
  if (only === undefined || only.from >= only.to) return []
  const middle = only.from + Math.floor((only.to - only.from) / 2)
  return [[{ ...only, to: middle }], [{ ...only, from: middle + 1 }]]
}

/**
 * True for rows of the slice. Its length does not depend on the number of partitions: names of topics are ASCII, which Snowflake
 * orders as we do.
 */
export function within(table: SnowflakeTable, slice: Slice): string {
  const { topic, partition, offset } = coordinates(table)
  const [first, last] = [slice.at(0), slice.at(-1)]
  if (first === undefined || last === undefined) return 'FALSE'
  const [low, high] = [literal(first.topic), literal(last.topic)]
  if (slice.length === 1)
    return `${topic} = ${low} AND ${partition} = ${first.partition} AND ${offset} BETWEEN ${first.from} AND ${first.to}`
  return (
    `(${topic} > ${low} OR ${topic} = ${low} AND ${partition} >= ${first.partition})` +
    ` AND (${topic} < ${high} OR ${topic} = ${high} AND ${partition} <= ${last.partition})`
  )
}

/** True for one row of the batch. */
export function isRow(table: SnowflakeTable, row: Omit<BadRow, 'message'>): string {
  const { topic, partition, offset } = coordinates(table)
  return `${topic} = ${literal(row.topic)} AND ${partition} = ${row.partition} AND ${offset} = ${row.offset}`
}

const coordinates = (table: SnowflakeTable) => ({
  topic: staged(metadataColumn(table, 'Topic')),
  partition: staged(metadataColumn(table, 'Partition')),
  offset: staged(metadataColumn(table, 'Offset'))
})
