import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../../lib/errors.ts'
import { need } from '../../servers/need.ts'
import { commit } from '../../conformance/commits.ts'
import { openLake } from './foreign-engine.ts'

const OPTIONS = need('s3', 'readers')

test(
  'rows, compaction, deletes and checkpoints of delta-rs leave our offsets, and ours leave its rows',
  OPTIONS,
  async () => {
    const { harness, foreign } = await openLake({ partitionBy: 'None' })
    const { sink } = harness.process()
    await sink.open()
    await commit(sink, harness, [{ from: 0, to: 10, expected: undefined }])
    await commit(sink, harness, [{ from: 10, to: 20 }])
    await foreign('append', 'bronze/orders')
    await foreign('compact', 'bronze/orders')
    assert.equal((await commit(sink, harness, [{ from: 20, to: 30 }])).status, 'committed')
    await foreign('checkpoint', 'bronze/orders')
    // A process that starts from a checkpoint of another engine.
    const heir = harness.process()
    await heir.sink.open()
    assert.equal((await heir.sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 30)
    for (let from = 30; from < 130; from += 10) {
      assert.equal((await commit(heir.sink, harness, [{ from, to: from + 10 }])).status, 'committed')
    }
    await foreign('delete', 'bronze/orders', { predicate: '_kafka_partition = 99' })
    for (let from = 130; from < 230; from += 10) {
      assert.equal((await commit(heir.sink, harness, [{ from, to: from + 10 }])).status, 'committed')
    }
    await heir.sink.close()
    const view = await foreign('read', 'bronze/orders')
    assert.deepEqual(view.offsets, [[0, 230, 230, 0, 229]])
    await sink.close()
    await harness.close()
  }
)

test('a RESTORE over our rows stops us until it is undone', OPTIONS, async () => {
  const { harness, foreign } = await openLake()
  const running = harness.process()
  await running.sink.open()
  await commit(running.sink, harness, [{ from: 0, to: 10, expected: undefined }])
  await commit(running.sink, harness, [{ from: 10, to: 20 }])
  await foreign('restore', 'bronze/orders', { version: 1 })
  const isRolledBack = (error: unknown) =>
    error instanceof FatalError && error.reason === 'RolledBack' && /version 2/.test(error.message)
  await assert.rejects(commit(running.sink, harness, [{ from: 20, to: 30 }]), isRolledBack)
  await assert.rejects(harness.process().sink.open(), isRolledBack)
  await foreign('checkpoint', 'bronze/orders')
  await assert.rejects(harness.process().sink.open(), isRolledBack)
  await foreign('restore', 'bronze/orders', { version: 2 })
  const heir = harness.process()
  await heir.sink.open()
  assert.equal((await commit(heir.sink, harness, [{ from: 20, to: 30 }])).status, 'committed')
  assert.deepEqual((await foreign('read', 'bronze/orders')).offsets, [[0, 30, 30, 0, 29]])
  await harness.close()
})

test('a table that was there before gets the columns it lacks and keeps its rows', OPTIONS, async () => {
  const { harness, foreign } = await openLake({ partitionBy: 'None' })
  await foreign('create', 'bronze/orders')
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [{ from: 0, to: 5, expected: undefined }])
  const view = await foreign('read', 'bronze/orders')
  assert.equal(view.rows, 6)
  assert.ok(view.columns.includes('own') && view.columns.includes('_ingested_at') && view.columns.includes('id'))
  await harness.close()
})

test('a table with types or properties that we cannot keep is refused by name', OPTIONS, async () => {
  const typed = await openLake({ partitionBy: 'None' })
  await typed.foreign('create', 'bronze/orders', { value: 7 })
  await assert.rejects(typed.harness.process().sink.open(), /IncompatibleTable|has column value as long/)
  await typed.harness.close()
  const expiring = await openLake({ partitionBy: 'None' })
  const configuration = { 'delta.setTransactionRetentionDuration': 'interval 1 day' }
  await expiring.foreign('create', 'bronze/orders', { configuration })
  await assert.rejects(expiring.harness.process().sink.open(), /delta\.setTransactionRetentionDuration/)
  await expiring.harness.close()
})
