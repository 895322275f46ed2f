import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../../lib/errors.ts'
import { need } from '../../servers/need.ts'
import { commit } from '../../conformance/commits.ts'
import { nextOffset, openLake } from './lake.ts'

const NEEDS = need('catalog', 's3', 'readers')

test(
  'after a rollback ingestion resumes from the offsets of that snapshot, and each row is there once',
  NEEDS,
  async context => {
    const lake = await openLake(context)
    const { harness, foreign, table } = lake
    const { sink } = harness.process()
    await sink.open()
    await commit(sink, harness, [{ from: 0, to: 10, expected: undefined }])
    await commit(sink, harness, [{ from: 10, to: 20 }])
    const { snapshotId } = await foreign.read(table)
    await commit(sink, harness, [{ from: 20, to: 30 }])
    await foreign.tell('rollback', table, { to: snapshotId })

    // Who was about to go on is told, and finds the way back.
    const outcome = await commit(sink, harness, [{ from: 30, to: 40 }])
    assert.equal(outcome.status, 'fenced')
    assert.equal((await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 20)
    assert.equal(await nextOffset(lake), 20)
    assert.equal((await commit(sink, harness, [{ from: 20, to: 40 }])).status, 'committed')
    assert.deepEqual((await foreign.read(table)).offsets, [[0, 40, 40, 0, 39]])

    // Twice, with the snapshot that was rolled away gone meanwhile.
    const last = await foreign.read(table)
    await commit(sink, harness, [{ from: 40, to: 50 }])
    await foreign.tell('rollback', table, { to: last.snapshotId })
    await foreign.tell('expire', table)
    assert.equal((await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 40)
    await commit(sink, harness, [{ from: 40, to: 60 }])
    assert.deepEqual((await foreign.read(table)).offsets, [[0, 60, 60, 0, 59]])
    await sink.close()
  }
)

test('a rollback to before our first commit stops us: nothing tells where to go on', NEEDS, async context => {
  const lake = await openLake(context, { partitionBy: '[]' })
  const { harness, foreign, table } = lake
  await foreign.tell('create', table)
  const { snapshotId } = await foreign.read(table)
  const { sink } = harness.process()
  await sink.open()
  await commit(sink, harness, [{ from: 0, to: 10, expected: undefined }])
  await foreign.tell('rollback', table, { to: snapshotId })
  const isRolledBack = (error: unknown) => error instanceof FatalError && error.reason === 'RolledBack'
  await assert.rejects(commit(sink, harness, [{ from: 10, to: 20 }]), isRolledBack)
  await assert.rejects(nextOffset(lake), isRolledBack)
  await sink.close()
})

test(
  'dead letters are read again after a rollback too: those of before stay unless their table is rolled back as well',
  NEEDS,
  async context => {
    const lake = await openLake(context)
    const { harness, foreign, table, deadLetters } = lake
    const { sink } = harness.process()
    await sink.open()
    const at = async () => (await foreign.read(table)).snapshotId
    const dead = async () => (await foreign.read(deadLetters)).offsets
    await commit(sink, harness, [{ from: 0, to: 10, expected: undefined, bad: [3] }])
    const [main, beside] = [await at(), (await foreign.read(deadLetters)).snapshotId]
    await commit(sink, harness, [{ from: 10, to: 20, bad: [13] }])

    await foreign.tell('rollback', table, { to: main })
    await foreign.tell('rollback', deadLetters, { to: beside })
    assert.equal((await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 10)
    await commit(sink, harness, [{ from: 10, to: 20, bad: [13] }])
    assert.deepEqual(await dead(), [[0, 2, 2, 3, 13]])

    await foreign.tell('rollback', table, { to: main })
    assert.equal((await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 10)
    await commit(sink, harness, [{ from: 10, to: 20, bad: [13, 14] }])
    assert.deepEqual((await foreign.read(table)).offsets, [[0, 17, 17, 0, 19]])
    assert.deepEqual(await dead(), [[0, 4, 3, 3, 14]])
    await sink.close()
  }
)
