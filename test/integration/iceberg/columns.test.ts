import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../../lib/errors.ts'
import { need } from '../../servers/need.ts'
import { commit } from '../../conformance/commits.ts'
import { openLake } from './lake.ts'

const NEEDS = need('catalog', 's3', 'readers')

test('columns of ours that others rename or drop come back, and no row is lost', NEEDS, async context => {
  const lake = await openLake(context)
  const { harness, foreign, table } = lake
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [{ from: 0, to: 10, expected: undefined }])
  await foreign.tell('evolve', table, { rename: { value: 'payload' }, drop: ['id'] })
  // The first of these was under way, as it were: it counts as before the change.
  for (let from = 10; from < 40; from += 10) await commit(sink, harness, [{ from, to: from + 10 }])
  const query = 'select count(distinct _kafka_offset), count(value), count(payload), count(id) from rows'
  assert.deepEqual(await foreign.sql(table, query), [[40, 20, 20, 20]])
  await sink.close()
})

test('a table that others partition anew is refused, with both partitionings named', NEEDS, async context => {
  const lake = await openLake(context)
  const { harness, foreign, table } = lake
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [{ from: 0, to: 10, expected: undefined }])
  await foreign.tell('repartition', table, { by: '_kafka_partition' })
  const isRefused = (error: unknown) =>
    error instanceof FatalError &&
    error.reason === 'IncompatibleTable' &&
    /identity\(_kafka_partition\)/.test(error.message)
  await assert.rejects(harness.process().sink.open(), isRefused)
  // Who runs already is told by the answer to its next commit, which has taken effect, still in the old partitioning.
  await assert.rejects(commit(sink, harness, [{ from: 10, to: 20 }]), isRefused)
  assert.deepEqual((await foreign.read(table)).offsets, [[0, 20, 20, 0, 19]])
  await sink.close()
})

test('what a tag holds is not thinned out, and does not tell our offsets', NEEDS, async context => {
  const lake = await openLake(context)
  const { harness, foreign, table } = lake
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [{ from: 0, to: 10, expected: undefined }])
  await foreign.tell('tag', table, { tag: 'audit' })
  await commit(sink, harness, [{ from: 10, to: 20 }])
  assert.equal((await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 20)
  await foreign.tell('expire', table)
  await commit(sink, harness, [{ from: 20, to: 30 }])
  const { offsets, snapshots } = await foreign.read(table)
  assert.deepEqual(offsets, [[0, 30, 30, 0, 29]])
  assert.equal(snapshots.length, 3)
  await sink.close()
})
