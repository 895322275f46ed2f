import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field, TableSchema } from '../../../../consumer/columns/schema.ts'
import type { ColumnStatistics } from '../../../../consumer/parquet/file.ts'
import { formatStats, indexedColumns } from '../../../../consumer/sinks/delta/stats.ts'

const field = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })

function statsOf(
  fields: readonly Field[],
  columns: Readonly<Record<string, ColumnStatistics>>,
  indexed = 32,
  partitionBy: readonly string[] = []
): unknown {
  const schema: TableSchema = { fields, partitionBy }
  return JSON.parse(formatStats(schema, 7, new Map(Object.entries(columns)), indexed))
}

test('bounds are in the words of Delta: ISO times in milliseconds, never narrower than the values', () => {
  const micros = Date.UTC(2026, 10, 21, 12) * 1_000
  const stats = statsOf(
    [
      field('n', 'long'),
      field('at', 'timestamp'),
      field('day', 'date'),
      field('s', 'string'),
      field('b', 'binary'),
      field('is', 'boolean'),
      field('d', 'double')
    ],
    {
      n: { min: -3n, max: 9_007_199_254_740_993n, nullCount: 1 },
      at: { min: BigInt(micros) + 1_999n, max: BigInt(micros) + 2_001n, nullCount: 0 },
      day: { min: 0, max: 20_000, nullCount: 0 },
      s: { min: 'a', max: 'ü', nullCount: 2 },
      b: { min: undefined, max: undefined, nullCount: 7 },
      is: { min: false, max: true, nullCount: 0 },
      d: { min: -Infinity, max: 1, nullCount: 0 }
    }
  )
  assert.deepEqual(stats, {
    numRecords: 7,
    minValues: { n: -3, at: '2026-11-21T12:00:00.001Z', day: '1970-01-01', s: 'a' },
    maxValues: { n: 9_007_199_254_740_992, at: '2026-11-21T12:00:00.003Z', day: '2024-10-04', s: 'ü' },
    nullCount: { n: 1, at: 0, day: 0, s: 2, b: 7, is: 0, d: 0 }
  })
})

test('a number beyond 2^53 is written with all its digits', () => {
  const schema: TableSchema = { fields: [field('n', 'long')], partitionBy: [] }
  const text = formatStats(schema, 1, new Map([['n', { min: 1n, max: 9_007_199_254_740_993n, nullCount: 0 }]]), 32)
  assert.match(text, /9007199254740993/)
})

test('only so many leaves have statistics, nested ones are counted and nested, partition columns are not', () => {
  const one = { min: 1, max: 2, nullCount: 0 }
  const fields = [
    field('day', 'date'),
    field('a', { struct: [field('x', 'int'), field('y', 'int')] }),
    field('list', { list: 'int', elementNullable: true }),
    field('b', 'int'),
    field('c', 'int')
  ]
  const stats = statsOf(fields, { day: one, 'a.x': one, 'a.y': one, b: one, c: one }, 4, ['day'])
  assert.deepEqual(stats, {
    numRecords: 7,
    minValues: { a: { x: 1, y: 1 }, b: 1 },
    maxValues: { a: { x: 2, y: 2 }, b: 2 },
    nullCount: { a: { x: 0, y: 0 }, b: 0 }
  })
})

test('a table says how many columns it wants statistics of', () => {
  const metadata = (count?: string) => ({
    id: '',
    format: { provider: 'parquet' },
    schemaString: '',
    partitionColumns: [],
    configuration: count === undefined ? {} : { 'delta.dataSkippingNumIndexedCols': count }
  })
  assert.deepEqual(
    [undefined, '5', '-1', 'x'].map(count => indexedColumns(metadata(count))),
    [32, 5, Infinity, 32]
  )
})
