import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryableError } from '../../../../lib/errors.ts'
import type { Clock } from '../../../../lib/clock.ts'
import type { Action } from '../../../../consumer/sinks/delta/actions.ts'
import { checkpointPath, entryPath, formatEntry, parseEntry } from '../../../../consumer/sinks/delta/log.ts'
import { batchOf, type PartOptions } from '../../../conformance/batches.ts'
import { deltaHarness, hastyClock } from '../../../fakes/delta-harness.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'
import { isFatal } from '../../../fakes/failures.ts'

const LOG = 'bronze/orders/'

function opened(options: { readonly clock?: Clock; readonly commitAttempts?: number } = {}) {
  const store = new MemoryStore()
  const harness = deltaHarness(store, { sink: options })
  const { sink, ...process } = harness.process()
  const commit = async (part: PartOptions, from = sink) =>
    await from.commit([await from.stage(batchOf(harness.plan, [part]))])
  return { store, harness, sink, process, commit }
}

const first: PartOptions = { from: 0, to: 10, expected: undefined }

async function latest(store: MemoryStore): Promise<number> {
  let version = -1
  while ((await store.size(`${LOG}${entryPath(version + 1)}`)) !== undefined) version++
  return version
}

async function actionsAt(store: MemoryStore, version: number): Promise<readonly Action[]> {
  const bytes = await store.get(`${LOG}${entryPath(version)}`)
  assert.ok(bytes)
  return parseEntry(bytes, '', { withFiles: true })
}

/** Another writer's entry at the end of the log. */
async function append(store: MemoryStore, actions: readonly Action[]): Promise<void> {
  await store.putIfAbsent(`${LOG}${entryPath((await latest(store)) + 1)}`, [formatEntry(actions)])
}

test('a table that is dropped while we run is not created again, it stops us', async () => {
  const { store, sink, commit } = opened()
  await sink.open()
  await commit(first)
  store.objects.clear()
  await assert.rejects(commit({ from: 10, to: 20 }), isFatal('TableDropped'))
  await assert.rejects(sink.recover(['orders']), isFatal('TableDropped'))
  assert.equal(await latest(store), -1)
})

test('a table that is replaced by another while we run stops us', async () => {
  const { store, harness, sink, commit } = opened()
  await sink.open()
  await commit(first)
  store.objects.clear()
  await harness.process().sink.open()
  await assert.rejects(commit({ from: 10, to: 20 }), isFatal('TableReplaced'))
  assert.equal(await latest(store), 0)
})

test('entries that are cleaned away behind and under us are no trouble while a checkpoint holds their state', async () => {
  const { store, harness, sink, commit } = opened()
  await sink.open()
  await commit(first)
  const other = harness.process().sink
  await other.open()
  for (let from = 10; from < 110; from += 10) await commit({ from, to: from + 10 }, other)
  const checkpoint = `${LOG}${checkpointPath(10)}`
  for (let turn = 0; turn < 10_000 && !store.objects.has(checkpoint); turn++) await hastyClock.sleep(0)
  for (let version = 0; version <= 9; version++) await store.delete(`${LOG}${entryPath(version)}`)
  assert.equal((await sink.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 110)
  assert.equal((await commit({ from: 110, to: 120 })).status, 'committed')
})

test('a log without its beginning and without a checkpoint is refused', async () => {
  const { store, harness, sink, commit } = opened()
  await sink.open()
  await commit(first)
  await store.delete(`${LOG}${entryPath(0)}`)
  await assert.rejects(harness.process().sink.open(), isFatal('DeltaLogIncomplete'))
})

test('after ten minutes without a look the log is read anew before anything is written', async () => {
  let nowMs = Date.UTC(2026, 10, 21)
  const { store, sink, commit } = opened({ clock: { ...hastyClock, now: () => nowMs } })
  await sink.open()
  await commit(first)
  const before = await latest(store)
  // Others went on and the log was cleaned past us: our next number is free again.
  const kept = await actionsAt(store, 0)
  for (let version = 1; version <= before; version++) await store.delete(`${LOG}${entryPath(version)}`)
  await store.delete(`${LOG}${entryPath(0)}`)
  nowMs += 11 * 60_000
  await store.put(`${LOG}${entryPath(40)}`, [formatEntry(kept)])
  await assert.rejects(commit({ from: 10, to: 20 }), isFatal('DeltaLogIncomplete'))
  assert.equal(await store.size(`${LOG}${entryPath(before + 1)}`), undefined)
})

test('changes of the schema by others are seen while we run: what we can write on goes on, what not stops', async () => {
  const { store, sink, commit } = opened()
  await sink.open()
  await commit(first)
  const [metaData] = (await actionsAt(store, 0)).flatMap(action => action.metaData ?? [])
  assert.ok(metaData)
  const schema = JSON.parse(metaData.schemaString) as { type: string; fields: { name: string; type: string }[] }
  const changed = (fields: readonly object[], extra = {}) => ({
    metaData: { ...metaData, ...extra, schemaString: JSON.stringify({ type: 'struct', fields }) }
  })
  await append(store, [changed([...schema.fields, { name: 'theirs', type: 'double', nullable: true, metadata: {} }])])
  assert.equal((await commit({ from: 10, to: 20 })).status, 'committed')

  await append(store, [changed(schema.fields.filter(({ name }) => name !== 'id'))])
  assert.equal((await commit({ from: 20, to: 30 })).status, 'committed')
  const restored = (await actionsAt(store, await latest(store))).flatMap(action => action.metaData ?? [])
  assert.match(restored[0]?.schemaString ?? '', /"name":"id"/)

  await append(store, [
    changed(schema.fields, { configuration: { 'delta.setTransactionRetentionDuration': 'interval 1 day' } })
  ])
  await assert.rejects(commit({ from: 30, to: 40 }), isFatal('UnsupportedDeltaFeature'))
  await append(store, [
    changed(schema.fields.map(field => (field.name === 'id' ? { ...field, type: 'string' } : field)))
  ])
  await assert.rejects(commit({ from: 30, to: 40 }), isFatal('IncompatibleTable'))
})

test('an answer "exists" for our own entry is our commit, and not a conflict', async () => {
  const { store, process, sink, commit } = opened()
  await sink.open()
  await commit(first)
  // A client that sends again by itself: the first request took effect, the second finds the object.
  const putIfAbsent = store.putIfAbsent.bind(store)
  store.putIfAbsent = async (path, chunks) => {
    await putIfAbsent(path, chunks)
    return await putIfAbsent(path, chunks)
  }
  process.onOperation(() => undefined)
  assert.deepEqual(await commit({ from: 10, to: 20 }), { status: 'committed', version: '2' })
  assert.equal(await latest(store), 2)
})

test('a store that says "exists" and does not show it is trouble, not a commit', async () => {
  const { store, sink, commit } = opened({ commitAttempts: 4 })
  await sink.open()
  store.putIfAbsent = async () => 'exists'
  await assert.rejects(commit(first), RetryableError)
})

test('a log entry that is no JSON stops us: others read another table than we', async () => {
  const { store, sink, commit } = opened()
  await sink.open()
  await store.put(`${LOG}${entryPath(1)}`, [Buffer.from('{"txn":')])
  await assert.rejects(commit(first), isFatal('DeltaLogCorrupt'))
})

test('dead letters of a main table that was created anew are published, though its versions start again', async () => {
  const { store, harness, sink, commit } = opened()
  await sink.open()
  for (let from = 0; from < 50; from += 10)
    await commit({ from, to: from + 10, expected: from || undefined, bad: [from] })
  for (const path of store.objects.keys()) if (path.startsWith(LOG)) store.objects.delete(path)
  const heir = harness.process().sink
  await heir.open()
  await commit({ from: 100, to: 110, expected: undefined, bad: [105] }, heir)
  assert.ok((await harness.deadLetters()).includes('0-105'))
})

test('dead letters that were decided before the table for them was renamed go to the one that was named then', async () => {
  const { store, harness, process, sink, commit } = opened()
  await sink.open()
  let commits = 0
  process.onOperation(operation => (process.isCommit(operation) && ++commits > 1 ? 'before' : undefined))
  await assert.rejects(commit({ ...first, bad: [4] }), RetryableError)
  const heir = harness.process({ plan: { ...harness.plan, deadLetterTable: undefined } }).sink
  await heir.open()
  assert.equal((await heir.recover(['orders'])).offsets.get('orders-0')?.nextOffset, 10)
  assert.deepEqual(await harness.deadLetters(), ['0-4'])
  await heir.recover(['orders'])
  assert.equal(await store.size('bronze/dlq_orders/_delta_log/00000000000000000002.json'), undefined)
})
