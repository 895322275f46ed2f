import assert from 'node:assert/strict'
import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { commit, commitHour } from '../../conformance/commits.ts'
import { openLake, type Lake } from './lake.ts'
import type { IcebergHarnessOptions } from '../../fakes/iceberg-harness.ts'

const NEEDS = need('catalog', 's3', 'readers')
const COMMITS = 23
const ROWS = 50
const START_MS = Date.UTC(2026, 10, 21, 12)
const BAD = Math.ceil(COMMITS / 5)

async function fill({ harness }: Lake): Promise<void> {
  const { sink } = harness.process()
  await sink.open()
  for (let hour = 0; hour < COMMITS; hour++) await commitHour(sink, harness, hour, { rows: ROWS, startMs: START_MS })
  await sink.close()
}

const [good, last] = [COMMITS * ROWS - BAD, COMMITS * ROWS - 1]

const layouts: readonly (readonly [what: string, options: IcebergHarnessOptions])[] = [
  ['by day of ingestion', {}],
  ['without partitions', { partitionBy: '[]' }],
  ['of format 3', { formatVersion: 3 }]
]

for (const [what, options] of layouts) {
  test(
    `pyiceberg and DuckDB read a table ${what}: every row once, files pruned by statistics`,
    NEEDS,
    async context => {
      const lake = await openLake(context, options)
      const { foreign, table } = lake
      await fill(lake)
      const filters = [
        `_kafka_offset >= ${(COMMITS - 3) * ROWS}`,
        '_kafka_partition = 7',
        "_ingested_at >= '2026-11-22T09:00:00+00:00'",
        `id = 0`
      ]
      const main = await foreign.read(table, { filters })
      assert.deepEqual(main.offsets, [
        [0, good, good, 0, last],
        [1, good, good, 0, last]
      ])
      assert.equal(main.files, COMMITS)
      assert.deepEqual(main.filesToRead, [3, 0, 2, 1])
      assert.deepEqual(main.rowsFound, [2 * (3 * ROWS - 1), 0, 2 * 2 * ROWS, 2])
      assert.equal(main.formatVersion, options.formatVersion ?? 2)
      assert.equal(main.summary['total-records'], String(2 * good))
      assert.equal(main.partitions.length, options.partitionBy === '[]' ? 0 : 1)
      const dead = await foreign.read(lake.deadLetters)
      assert.deepEqual(
        dead.offsets.map(([partition, rows, distinct]) => [partition, rows, distinct]),
        [
          [0, BAD, BAD],
          [1, BAD, BAD]
        ]
      )
    }
  )
}

test('values come back as they were written', NEEDS, async context => {
  const lake = await openLake(context)
  const { harness, foreign, table } = lake
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [{ from: 0, to: 3, expected: undefined }])
  await sink.close()
  const rows = await foreign.sql(
    table,
    'select _kafka_topic, _kafka_offset, value, id, epoch_us(_kafka_timestamp), epoch_ms(_ingested_at) from rows order by 2'
  )
  assert.deepEqual(
    rows,
    [0, 1, 2].map(each => ['orders', each, `{"id":${each}}`, each, 1795303800123000 + each, 1795303800123])
  )
})
