import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDeltaSink } from '../../../consumer/sinks/delta/sink.ts'
import { openRestCatalog } from '../../../consumer/sinks/iceberg/catalog/rest.ts'
import { openIcebergSink } from '../../../consumer/sinks/iceberg/sink.ts'
import { storesOf } from '../../../consumer/sinks/iceberg/stores.ts'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { systemClock } from '../../../lib/clock.ts'
import { silentLog } from '../../../lib/log.ts'
import type { ReadRow } from '../../evolution/expectation.ts'
import { walk, type WalkOptions, type WalkTables } from '../../evolution/walk.ts'
import { catalogAt } from '../../fakes/catalog-options.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { need } from '../../servers/need.ts'
import { pyicebergProperties } from '../../servers/pyiceberg.ts'
import { python } from '../../servers/readers.ts'

const SCRIPT = fileURLToPath(new URL('./rows.py', import.meta.url))
const STEPS = 200

/** Seeds whose walks found something stay. */
const WALKS: readonly Omit<WalkOptions, 'steps'>[] = [
  { seed: 102, conflicts: 0.02, onIncompatible: 'DeadLetter' },
  { seed: 103, conflicts: 0.1, onIncompatible: 'NewColumn' }
]

for (const each of WALKS) {
  const name = `${STEPS} steps of evolution, ${each.onIncompatible}, conflicts ${each.conflicts}`
  test(`${name}: deltalake reads what was produced`, need('readers'), async context => {
    judge(await walk(await deltaTables(context), { ...each, steps: STEPS }), each)
  })

  test(`${name}: pyiceberg reads what was produced`, need('catalog', 's3', 'readers'), async context => {
    judge(await walk(await icebergTables(context), { ...each, steps: STEPS }), each)
  })
}

function judge(outcome: Awaited<ReturnType<typeof walk>>, { conflicts, onIncompatible }: Omit<WalkOptions, 'steps'>) {
  assert.ok(outcome.rows > STEPS && outcome.versions > STEPS)
  assert.equal(outcome.deadLetters > 0, conflicts > 0 && onIncompatible === 'DeadLetter')
}

async function deltaTables(context: TestContext): Promise<WalkTables> {
  const folder = await mkdtemp(join(tmpdir(), 'walk-'))
  const store = await openObjectStore(`file://${folder}`, undefined, async () => undefined)
  context.after(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  return {
    kind: 'delta',
    sink: `{delta: {location: "file://${folder}"}}`,
    table: 'lake.events',
    openSink: member => openDeltaSink({ ...member, store, log: silentLog }),
    read: async table => rowsIn(await python(SCRIPT, ['delta', join(folder, ...table.split('.'))]))
  }
}

async function icebergTables(context: TestContext): Promise<WalkTables> {
  const { uri, s3 } = await sharedCatalog()
  const secrets: Readonly<Record<string, string>> = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey }
  const readSecret = async (_name: string, key: string) => secrets[key]
  const catalog = await openRestCatalog({ catalog: catalogAt(uri), readSecret, clock: systemClock })
  const { endpoint, region } = s3
  const access = { endpoint, region, forcePathStyle: true, credentialsSecret: 's3', caSecret: undefined }
  const openStore = storesOf(access, readSecret)
  context.after(async () => await catalog.close())
  return {
    kind: 'iceberg',
    sink: `{iceberg: {catalog: {uri: "${uri}"}}}`,
    // pyiceberg 0.12 makes lists and maps of structs anew, without which of them are null.
    emptiesNulls: true,
    table: `walk_${randomUUID().replaceAll('-', '')}.events`,
    openSink: member => openIcebergSink({ ...member, catalog, openStore, log: silentLog }),
    read: async table => {
      const properties = JSON.stringify(pyicebergProperties({ uri }, s3))
      return rowsIn(await python(SCRIPT, ['iceberg', properties, table]))
    }
  }
}

const rowsIn = (text: string): readonly ReadRow[] => JSON.parse(text) as readonly ReadRow[]
