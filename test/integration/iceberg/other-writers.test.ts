import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sink } from '../../../consumer/sink.ts'
import { need } from '../../servers/need.ts'
import { commit } from '../../conformance/commits.ts'
import { nextOffset, openLake, type Lake } from './lake.ts'

const NEEDS = need('catalog', 's3', 'readers')

/** An open sink whose table has the offsets 0 to `rows`, ten to a commit. */
async function filled({ harness }: Lake, rows: number): Promise<Sink> {
  const { sink } = harness.process()
  await sink.open()
  await fill(sink, harness, 0, rows)
  return sink
}

async function fill(sink: Sink, harness: Lake['harness'], from: number, to: number): Promise<void> {
  for (let next = from; next < to; next += 10) {
    const expected = next === 0 ? undefined : next
    const outcome = await commit(sink, harness, [{ from: next, to: next + 10, expected, bad: [next + 1] }])
    assert.equal(outcome.status, 'committed')
  }
}

/** Rows of partition 0 as pyiceberg and DuckDB count them: each tenth offset is a dead letter. */
const ingested = (to: number) => [0, to * 0.9, to * 0.9, 0, to - 1]

test('rows and columns of pyiceberg leave our offsets, and ours leave its rows', NEEDS, async context => {
  const lake = await openLake(context)
  const { harness, foreign, table } = lake
  const sink = await filled(lake, 20)
  await foreign.tell('append', table)
  await foreign.tell('evolve', table, { add: { note: 'string', weight: 'double' } })
  await fill(sink, harness, 20, 30)
  await foreign.tell('evolve', table, { rename: { weight: 'mass' }, widen: { _kafka_partition: 'long' } })
  await fill(sink, harness, 30, 40)
  await foreign.tell('append', table)
  assert.equal(await nextOffset(lake), 40)
  await fill(sink, harness, 40, 50)
  const view = await foreign.read(table)
  assert.deepEqual(
    view.offsets.map(([partition, rows]) => [partition, rows]),
    [
      [0, 45],
      [99, 2]
    ]
  )
  assert.deepEqual(view.offsets[0], ingested(50))
  assert.equal(view.columns['mass'], 'double')
  assert.equal(view.columns['_kafka_partition'], 'long')
  assert.deepEqual((await foreign.read(lake.deadLetters)).offsets, [[0, 5, 5, 1, 41]])
  await sink.close()
})

test(
  'a compaction prepared before our commit and committed after it never moves offsets back',
  NEEDS,
  async context => {
    const lake = await openLake(context)
    const { harness, foreign, table } = lake
    const sink = await filled(lake, 30)
    await foreign.tell('prepare', table)
    await fill(sink, harness, 30, 40)
    await foreign.tell('complete', table)
    const compacted = await foreign.read(table)
    assert.equal(compacted.summary['operation'], 'replace')
    assert.equal(compacted.files, 2)
    assert.equal(await nextOffset(lake), 40)
    await fill(sink, harness, 40, 50)

    // The other way round: ours is prepared on a state that the compaction replaces.
    await foreign.tell('prepare', table)
    await foreign.tell('complete', table)
    assert.equal(await nextOffset(lake), 50)
    await fill(sink, harness, 50, 60)
    assert.deepEqual((await foreign.read(table)).offsets, [ingested(60)])
    await sink.close()
  }
)

test('offsets are found when all snapshots of ours have expired under one of another writer', NEEDS, async context => {
  const lake = await openLake(context)
  const { harness, foreign, table } = lake
  const sink = await filled(lake, 30)
  await foreign.tell('append', table)
  assert.equal(await foreign.tell('expire', table), 3)
  assert.equal((await foreign.read(table)).snapshots.length, 1)
  assert.equal(await nextOffset(lake), 30)
  await fill(sink, harness, 30, 40)
  await foreign.tell('prepare', table)
  await foreign.tell('complete', table)
  await foreign.tell('expire', table)
  assert.equal(await nextOffset(lake), 40)
  const heir = harness.process().sink
  await heir.open()
  await fill(heir, harness, 40, 50)
  const { offsets } = await foreign.read(table)
  assert.deepEqual(offsets[0], ingested(50))
  await Promise.all([sink.close(), heir.close()])
})

test('a table that was there before gets the columns that it lacks and keeps its rows', NEEDS, async context => {
  const lake = await openLake(context, { partitionBy: '[]' })
  const { foreign, table } = lake
  await foreign.tell('create', table)
  const sink = await filled(lake, 20)
  const view = await foreign.read(table)
  assert.equal(view.rows, 19)
  for (const name of ['own', '_ingested_at', 'id']) assert.ok(name in view.columns, name)
  assert.deepEqual(view.offsets, [[0, 19, 19, -1, 19]])
  await sink.close()
})
