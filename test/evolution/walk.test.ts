import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDeltaSink } from '../../consumer/sinks/delta/sink.ts'
import { openIcebergSink } from '../../consumer/sinks/iceberg/sink.ts'
import { silentLog } from '../../lib/log.ts'
import { readDeltaRows } from '../fakes/delta-reader.ts'
import { MemoryCatalog } from '../fakes/iceberg-catalog.ts'
import { readIcebergRows } from '../fakes/iceberg-reader.ts'
import { MemoryStore } from '../fakes/object-store.ts'
import { readFileRows } from './read-file.ts'
import { walk, type WalkOptions, type WalkTables } from './walk.ts'

const KINDS = { delta: deltaTables, iceberg: icebergTables } as const

for (const [kind, tables] of Object.entries(KINDS)) {
  test(`${kind}: without conflicts every value has its row, whatever producers and pods do`, async () => {
    const outcome = await walk(tables(), options({ seed: 1, conflicts: 0 }))
    assert.ok(outcome.columns > 14, 'the table grew')
    assert.equal(outcome.deadLetters, 0)
  })

  test(`${kind}: what no column can take becomes a dead letter, and nothing else does`, async () => {
    const { rows, deadLetters } = await walk(tables(), options({ seed: 4, conflicts: 0.08 }))
    assert.ok(rows > 0 && deadLetters > 0)
  })

  test(`${kind}: with NewColumn every value has its row, in a column of its own where it must`, async () => {
    const { deadLetters } = await walk(tables(), options({ seed: 7, conflicts: 0.15, onIncompatible: 'NewColumn' }))
    assert.equal(deadLetters, 0)
  })

  test(`${kind}: with Stop the first conflict ends a pod, and says which field it is`, async () => {
    const stopped = walk(tables(), options({ seed: 10, conflicts: 0.5, onIncompatible: 'Stop' }))
    await assert.rejects(stopped, { name: 'FatalError', reason: 'IncompatibleSchema', message: /lake\.events/ })
  })
}

const options = (given: Partial<WalkOptions>): WalkOptions => ({
  seed: 0,
  steps: 25,
  onIncompatible: 'DeadLetter',
  conflicts: 0,
  ...given
})

function deltaTables(): WalkTables {
  const store = new MemoryStore()
  return {
    kind: 'delta',
    sink: '{delta: {location: "file:///walk"}}',
    table: 'lake.events',
    openSink: member => openDeltaSink({ ...member, store, log: silentLog, checkpoints: false }),
    read: async table => {
      const folder = table.replaceAll('.', '/')
      const { files } = await readDeltaRows(store, folder)
      return await rowsOf(files, async path => await store.get(`${folder}/${decodeURIComponent(path)}`))
    }
  }
}

function icebergTables(): WalkTables {
  const store = new MemoryStore()
  const catalog = new MemoryCatalog({ nowMs: () => Date.UTC(2026, 10, 21), hasTransactions: false })
  const fileOf = async (uri: string) => await store.get(uri.replace('file:///', ''))
  return {
    kind: 'iceberg',
    sink: '{iceberg: {catalog: {uri: "http://walk"}}}',
    table: 'lake.events',
    openSink: member => openIcebergSink({ ...member, catalog, openStore: async () => store, log: silentLog }),
    read: async table => {
      const { files } = await readIcebergRows(catalog.tables.get(table), fileOf)
      return await rowsOf(files, fileOf)
    }
  }
}

async function rowsOf(files: readonly string[], read: (path: string) => Promise<Buffer | undefined>) {
  const rows = []
  for (const path of files) rows.push(...(await readFileRows((await read(path)) ?? Buffer.alloc(0))))
  return rows
}
