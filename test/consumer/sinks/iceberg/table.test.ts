import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IcebergSinkOptions } from '../../../../consumer/sinks/iceberg/sink.ts'
import { RetryableError } from '../../../../lib/errors.ts'
import { batchOf, type PartOptions } from '../../../conformance/batches.ts'
import { MemoryCatalog } from '../../../fakes/iceberg-catalog.ts'
import { icebergHarness } from '../../../fakes/iceberg-harness.ts'
import type { TableJson } from '../../../fakes/iceberg-metadata.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { isFatal } from '../../../fakes/failures.ts'

const MAIN = { namespace: ['bronze'], name: 'orders' }
const first: PartOptions = { from: 0, to: 10, expected: undefined }

function opened(options: Partial<IcebergSinkOptions> = {}, catalog = new MemoryCatalog(), location?: string) {
  const store = new MemoryStore()
  const where = location === undefined ? {} : { location }
  const harness = icebergHarness(catalog, async () => store, { sink: options, ...where })
  const { sink, ...process } = harness.process()
  const commit = async (part: PartOptions, from = sink) =>
    await from.commit([await from.stage(batchOf(harness.plan, [part]))])
  const table = (): TableJson => {
    const found = catalog.tables.get('bronze.orders')
    assert.ok(found)
    return found
  }
  const files = (pattern: RegExp) => [...store.objects.keys()].filter(path => pattern.test(path))
  return { store, catalog, harness, sink, process, commit, table, files }
}

test('a catalog that fails while others create the namespace too is asked again', async () => {
  const { harness, catalog } = opened()
  const { sink, ...process } = harness.process()
  let left = 2
  process.onOperation(({ kind }) => (kind === 'createNamespace' && left-- > 0 ? 'before' : undefined))
  await sink.open()
  assert.ok(catalog.tables.has('bronze.orders'))
  assert.ok(left < 0)
})

test('a table that is dropped while we run is not created again, it stops us', async () => {
  const { catalog, sink, commit } = opened()
  await sink.open()
  await commit(first)
  catalog.tables.clear()
  await assert.rejects(commit({ from: 10, to: 20 }), isFatal('TableDropped'))
  await assert.rejects(sink.recover(['orders']), isFatal('TableDropped'))
  assert.equal(catalog.tables.size, 0)
})

test('a table that is replaced by another while we run stops us', async () => {
  const { catalog, harness, sink, commit, table } = opened()
  await sink.open()
  await commit(first)
  catalog.tables.clear()
  await harness.process().sink.open()
  await assert.rejects(commit({ from: 10, to: 20 }), isFatal('TableReplaced'))
  assert.equal(table().snapshots.length, 0)
})

test('manifests are written once however often a commit is tried, and lists of refused attempts are removed', async () => {
  const { harness, sink, commit, files, table } = opened()
  await sink.open()
  await commit(first)
  const other = harness.process().sink
  await other.open()
  for (let from = 0; from < 30; from += 10)
    await commit({ from, to: from + 10, expected: from || undefined, partition: 1 }, other)
  // Ours was decided on an older snapshot: it is refused once.
  assert.equal((await commit({ from: 10, to: 20 })).status, 'committed')
  assert.equal(table().snapshots.length, 5)
  assert.equal(files(/orders\/metadata\/.*-m\d+\.avro$/).length, 5)
  assert.equal(files(/orders\/metadata\/snap-.*\.avro$/).length, 5)
})

test('after a lost answer nothing is deleted', async () => {
  const { sink, process, commit, files, table } = opened()
  await sink.open()
  await commit(first)
  let left = 1
  process.onOperation(operation => (process.isCommit(operation) && left-- > 0 ? 'before' : undefined))
  assert.equal((await commit({ from: 10, to: 20 })).status, 'committed')
  assert.equal(table().snapshots.length, 2)
  assert.equal(files(/orders\/metadata\/snap-.*\.avro$/).length, 3)
})

test('a refusal of our own request, sent twice on the way, is our commit', async () => {
  const { catalog, sink, commit, table } = opened()
  await sink.open()
  await commit(first)
  const commitTable = catalog.commitTable.bind(catalog)
  let isTwice = true
  catalog.commitTable = async (name, change) => {
    if (isTwice) await commitTable(name, change)
    isTwice = false
    return await commitTable(name, change)
  }
  assert.equal((await commit({ from: 10, to: 20 })).status, 'committed')
  assert.equal(table().snapshots.length, 2)
})

test('a catalog that says yes and changes nothing is not believed', async () => {
  const { catalog, sink, commit } = opened({ commitAttempts: 3 })
  await sink.open()
  catalog.commitTable = async name => ({ metadata: (await catalog.loadTable(name))?.metadata })
  await assert.rejects(commit(first), RetryableError)
})

test('a transaction that a catalog drops, in whole or in half, is made up for', async () => {
  for (const kept of [0, 1]) {
    const catalog = new MemoryCatalog({ hasTransactions: true })
    const { harness, sink, commit } = opened({}, catalog)
    await sink.open()
    const together = catalog.commitTransaction.bind(catalog)
    let drops = 1
    catalog.commitTransaction = async changes => {
      if (drops-- <= 0) return await together(changes)
      const change = changes[kept]
      if (change !== undefined) await catalog.commitTable(change.table, change.change)
      return 'committed'
    }
    assert.equal((await commit({ ...first, bad: [3] })).status, 'committed')
    assert.equal((await commit({ from: 10, to: 20, bad: [13] })).status, 'committed')
    assert.deepEqual(await harness.deadLetters(), ['0-13', '0-3'])
    assert.equal((await harness.rows()).length, 18)
  }
})

test('a rollback takes the offsets back with the rows', async () => {
  const { catalog, sink, commit, table } = opened()
  await sink.open()
  await commit(first)
  const before = table()['current-snapshot-id']
  await commit({ from: 10, to: 20 })
  const updates = [{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': before }]
  await catalog.commitTable(MAIN, { requirements: [], updates })
  assert.equal((await commit({ from: 20, to: 30 })).status, 'fenced')
  assert.equal((await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 10)
  assert.equal((await commit({ from: 10, to: 15 })).status, 'committed')
})

test('a process that has not looked for a while does not take its own ignorance for a fence', async () => {
  const { harness, sink, commit } = opened()
  await sink.open()
  const idle = harness.process().sink
  await idle.open()
  await commit(first)
  const staged = await sink.stage(batchOf(harness.plan, [{ from: 10, to: 20 }]))
  assert.equal((await idle.commit([staged])).status, 'committed')
})

test('a manifest list that is gone stops us before anything is lost', async () => {
  const { store, harness, sink, commit, files } = opened()
  await sink.open()
  await commit(first)
  for (const path of files(/snap-/)) await store.delete(path)
  const heir = harness.process().sink
  await heir.open()
  await assert.rejects(commit({ from: 10, to: 20 }, heir), isFatal('TableDamaged'))
})

test('dead letters that were decided before the table for them was renamed go to the one that was named then', async () => {
  const { harness, process, sink, commit, catalog } = opened()
  await sink.open()
  let commits = 0
  process.onOperation(operation => (process.isCommit(operation) && ++commits > 1 ? 'before' : undefined))
  await assert.rejects(commit({ ...first, bad: [4] }), RetryableError)
  const heir = harness.process({ plan: { ...harness.plan, deadLetterTable: undefined } }).sink
  await heir.open()
  assert.equal((await heir.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 10)
  assert.deepEqual(await harness.deadLetters(), ['0-4'])
  await heir.recover(['orders'])
  assert.equal(catalog.tables.get('bronze.dlq_orders')?.snapshots.length, 1)
})

test('dead letters whose table was dropped are given up, and ingestion goes on', async () => {
  const { harness, process, sink, commit, catalog } = opened()
  await sink.open()
  let commits = 0
  process.onOperation(operation => (process.isCommit(operation) && ++commits > 1 ? 'before' : undefined))
  await assert.rejects(commit({ ...first, bad: [4] }), RetryableError)
  catalog.tables.delete('bronze.dlq_orders')
  const heir = harness.process().sink
  await heir.open()
  assert.equal((await heir.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 10)
  assert.equal((await commit({ from: 10, to: 20, bad: [14] }, heir)).status, 'committed')
  assert.deepEqual(await harness.deadLetters(), ['0-14'])
})

test('many manifests become few, and all rows stay', async () => {
  const { harness, sink, commit, table, files } = opened()
  await sink.open()
  table().properties['commit.manifest.min-count-to-merge'] = '4'
  for (let from = 0; from < 120; from += 10) await commit({ from, to: from + 10, expected: from || undefined })
  assert.equal((await harness.rows()).length, 120)
  // Twelve of commits, and those that were merged of four.
  assert.ok(files(/orders\/metadata\/.*-m1\.avro$/).length >= 2)
})

test('tables are made where the pipeline says, and files go where the table says', async () => {
  const { sink, commit, table, files, catalog, harness } = opened({}, new MemoryCatalog(), 's3://lake/raw')
  await sink.open()
  assert.equal(table().location, 's3://lake/raw/bronze/orders')
  assert.equal(catalog.tables.get('bronze.dlq_orders')?.location, 's3://lake/raw/bronze/dlq_orders')
  await commit(first)
  assert.equal(files(/^raw\/bronze\/orders\/data\/_ingested_at_day=2026-11-21\/.*\.parquet$/).length, 1)
  const updates = { 'write.data.path': 's3://lake/other/data', 'write.metadata.path': 's3://lake/other/metadata/' }
  Object.assign(table().properties, updates)
  await sink.recover(['orders'])
  await commit({ from: 10, to: 20 })
  assert.equal(files(/^other\/data\/.*\.parquet$/).length, 1)
  assert.equal(files(/^other\/metadata\/[^/]+\.avro$/).length, 2)
  assert.equal((await harness.rows()).length, 20)
})
