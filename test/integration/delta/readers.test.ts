import assert from 'node:assert/strict'
import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { TOPIC_ID } from '../../conformance/batches.ts'
import { commitHour } from '../../conformance/commits.ts'
import { openLake, type Lake } from './foreign-engine.ts'

const COMMITS = 23
const ROWS = 50
const START_MS = Date.UTC(2026, 10, 21, 12)

async function fill({ harness }: Lake): Promise<void> {
  const { sink } = harness.process()
  await sink.open()
  for (let hour = 0; hour < COMMITS; hour++) await commitHour(sink, harness, hour, { rows: ROWS, startMs: START_MS })
  await sink.close()
}

const BAD = Math.ceil(COMMITS / 5)

test(
  'delta-rs and DuckDB read every row once, from the log, from our checkpoint, and prune by our statistics',
  need('s3', 'readers'),
  async () => {
    const lake = await openLake()
    await fill(lake)
    const key = `bronze:orders:${TOPIC_ID}:0:1`
    const check = async () => {
      const given = { offset: (COMMITS - 3) * ROWS, transactions: [key] }
      const main = await lake.foreign('read', 'bronze/orders', given)
      const [good, last] = [COMMITS * ROWS - BAD, COMMITS * ROWS - 1]
      assert.deepEqual(main.offsets, [
        [0, good, good, 0, last],
        [1, good, good, 0, last]
      ])
      assert.equal(main.version, COMMITS)
      assert.equal(main.files, COMMITS)
      assert.equal(main.filesToRead, 3)
      assert.equal(main.rows, 2 * good)
      assert.deepEqual(main.protocol, [1, 2])
      assert.deepEqual(main.partitions, ['_ingestion_date'])
      assert.deepEqual(main.dates, ['2026-11-21', '2026-11-22'])
      assert.deepEqual(main.transactions, { [key]: COMMITS * ROWS })
      const bad = await lake.foreign('read', 'bronze/dlq_orders')
      assert.deepEqual(
        bad.offsets.map(([partition, rows, distinct]) => [partition, rows, distinct]),
        [
          [0, BAD, BAD],
          [1, BAD, BAD]
        ]
      )
    }
    await check()
    // As after a clean-up of the log: all before the newest checkpoint is gone.
    const log = 'bronze/orders/_delta_log/'
    const paths: string[] = []
    for await (const { path } of lake.store.list(log)) paths.push(path)
    const checkpoint = paths.findLast(path => path.endsWith('.checkpoint.parquet'))
    // On a busy machine the one of version 10 may still be under way when version 20 is written, which then has none.
    const version = /0{18}[12]0(?=[.]checkpoint)/.exec(checkpoint ?? '')?.[0]
    assert.ok(version, checkpoint)
    for (const path of paths) if (path < `${log}${version}`) await lake.store.delete(path)
    await check()

    // And we go on from there as well.
    const { sink } = lake.harness.process()
    await sink.open()
    const { offsets } = await sink.recover(['orders'])
    assert.equal(offsets.get('orders-1')?.nextOffset, COMMITS * ROWS)
    await sink.close()
    await lake.harness.close()
  }
)
