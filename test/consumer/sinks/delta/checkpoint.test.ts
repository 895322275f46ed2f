import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openParquet } from '../../../../consumer/parquet/reader.ts'
import type { Action } from '../../../../consumer/sinks/delta/actions.ts'
import { writeCheckpoint } from '../../../../consumer/sinks/delta/checkpoint.ts'
import { readCheckpointState } from '../../../../consumer/sinks/delta/checkpoint-state.ts'
import { loadSnapshot } from '../../../../consumer/sinks/delta/load.ts'
import { checkpointPath, entryPath, formatEntry } from '../../../../consumer/sinks/delta/log.ts'
import { MemoryStore } from '../../../fakes/object-store.ts'

const WEEK_MS = 7 * 86_400_000
const NOW_MS = 1_800_000_000_000
const never = new AbortController().signal

const protocol = { minReaderVersion: 1, minWriterVersion: 2 }
const metaData = {
  id: 'f2b7c5f0-0000-4000-8000-000000000001',
  format: { provider: 'parquet', options: {} },
  schemaString: '{"type":"struct","fields":[]}',
  partitionColumns: ['day'],
  configuration: { 'delta.appendOnly': 'false' },
  createdTime: NOW_MS
}

const add = (name: string, extra: object = {}): Action => ({
  add: {
    path: `day=1/${name}`,
    partitionValues: { day: '1' },
    size: 10,
    modificationTime: NOW_MS,
    dataChange: true,
    stats: '{"numRecords":1}',
    ...extra
  }
})

const remove = (name: string, deletionTimestamp: number): Action => ({
  remove: {
    path: `day=1/${name}`,
    deletionTimestamp,
    dataChange: true,
    extendedFileMetadata: true,
    partitionValues: { day: '1' },
    size: 10
  }
})

async function written(store: MemoryStore, version: number, actions: readonly Action[]): Promise<void> {
  await store.putIfAbsent(entryPath(version), [formatEntry(actions)])
}

async function checkpoint(store: MemoryStore): Promise<number> {
  const snapshot = await loadSnapshot(store, 't')
  assert.ok(snapshot)
  await writeCheckpoint(store, snapshot, NOW_MS, never)
  return snapshot.version
}

async function rowsOf(store: MemoryStore, version: number): Promise<readonly Record<string, unknown>[]> {
  const file = await openParquet(store, checkpointPath(version))
  assert.ok(file)
  const rows: Record<string, unknown>[] = []
  for await (const row of file.rows()) rows.push(row)
  return rows
}

const paths = (rows: readonly Record<string, unknown>[], kind: 'add' | 'remove'): string[] =>
  rows.flatMap(row => (row[kind] as { path?: string } | undefined)?.path ?? []).sort()

test('a checkpoint holds live files, unexpired tombstones and every transaction, and later ones build on it', async () => {
  const store = new MemoryStore()
  await written(store, 0, [{ protocol }, { metaData }])
  await written(store, 1, [add('a'), add('b'), add('c'), { txn: { appId: 'x', version: 1, lastUpdated: NOW_MS } }])
  await written(store, 2, [
    remove('a', NOW_MS - WEEK_MS - 1),
    remove('b', NOW_MS - 1),
    { txn: { appId: 'y', version: 7 } }
  ])
  assert.equal(await checkpoint(store), 2)
  let rows = await rowsOf(store, 2)
  assert.deepEqual(paths(rows, 'add'), ['day=1/c'])
  assert.deepEqual(paths(rows, 'remove'), ['day=1/b'])

  for (let version = 0; version <= 2; version++) await store.delete(entryPath(version))
  await written(store, 3, [add('d'), add('b'), { txn: { appId: 'x', version: 2, lastUpdated: NOW_MS } }])
  assert.equal(await checkpoint(store), 3)
  rows = await rowsOf(store, 3)
  assert.deepEqual(paths(rows, 'add'), ['day=1/b', 'day=1/c', 'day=1/d'])
  assert.deepEqual(paths(rows, 'remove'), [])
  const found = rows.find(row => (row['add'] as { path?: string } | undefined)?.path === 'day=1/c')
  assert.deepEqual(found?.['add'], {
    path: 'day=1/c',
    partitionValues: { day: '1' },
    size: 10n,
    modificationTime: BigInt(NOW_MS),
    dataChange: false,
    stats: '{"numRecords":1}',
    tags: undefined
  })
  const state = await readCheckpointState(store, [checkpointPath(3)])
  assert.deepEqual(
    [...(state?.txns.values() ?? [])].map(({ appId, version }) => [appId, Number(version)]),
    [
      ['x', 2],
      ['y', 7]
    ]
  )
  const loaded = await loadSnapshot(store, 't')
  assert.deepEqual(loaded?.metadata.configuration, metaData.configuration)
  assert.deepEqual(loaded?.metadata.partitionColumns, ['day'])
})

test('64-bit numbers of other writers survive a checkpoint', async () => {
  const store = new MemoryStore()
  await written(store, 0, [{ protocol }, { metaData }])
  const big = 9_007_199_254_740_993n
  await written(store, 1, [add('a', { size: big }), { txn: { appId: 'x', version: big } }])
  await checkpoint(store)
  const state = await readCheckpointState(store, [checkpointPath(1)])
  assert.equal(state?.txns.get('x')?.version, big)
  const rows = await rowsOf(store, 1)
  assert.equal(
    rows.map(row => (row['add'] as { size?: bigint } | undefined)?.size).find(size => size !== undefined),
    big
  )
})

test('a checkpoint in parts is read when all parts are there, else an earlier one counts', async () => {
  const store = new MemoryStore()
  await written(store, 0, [{ protocol }, { metaData }])
  await written(store, 1, [add('a'), { txn: { appId: 'x', version: 1 } }])
  await checkpoint(store)
  const whole = await store.get(checkpointPath(1))
  assert.ok(whole)
  await written(store, 2, [{ txn: { appId: 'x', version: 2 } }])
  await checkpoint(store)
  const newer = await store.get(checkpointPath(2))
  assert.ok(newer)
  for (const path of [
    '_delta_log/_last_checkpoint',
    checkpointPath(1),
    checkpointPath(2),
    entryPath(0),
    entryPath(1)
  ]) {
    await store.delete(path)
  }
  const part = (version: number, index: number) =>
    `_delta_log/${String(version).padStart(20, '0')}.checkpoint.000000000${index}.0000000002.parquet`
  await store.put(part(1, 1), [whole])
  await store.put(part(1, 2), [whole])
  await store.put(part(2, 1), [newer])
  const loaded = await loadSnapshot(store, 't')
  assert.equal(loaded?.version, 2)
  assert.equal(Number(loaded.txns.get('x')?.version), 2)
  await store.delete(part(1, 2))
  await assert.rejects(loadSnapshot(store, 't'), /DeltaLogIncomplete|lacks/)
})
