import { openRestCatalog } from '../../../consumer/sinks/iceberg/catalog/rest.ts'
import { storesOf } from '../../../consumer/sinks/iceberg/stores.ts'
import { systemClock } from '../../../lib/clock.ts'
import { TAKEN_AT_MS, batchOf } from '../../conformance/batches.ts'
import { icebergHarness, type IcebergHarnessOptions } from '../../fakes/iceberg-harness.ts'
import { startCatalog } from '../../servers/catalog.ts'

/**
 * Makes tables and their dead-letter tables in a catalog of their own and keeps it until its input ends:
 * `node make-iceberg-tables.ts [COMMITS]`.
 */
const commits = Number(process.argv[2] ?? '45')
const ROWS = 200
const HOUR_MS = 3_600_000

const layouts: Readonly<Record<string, IcebergHarnessOptions>> = {
  by_day: {},
  by_hour: { partitionBy: '[{source: IngestedAt, transform: Hour}]' },
  plain: { partitionBy: '[]' },
  format3: { formatVersion: 3 }
}

const { uri, stop } = await startCatalog()
const readSecret = async () => undefined
const address = { uri, warehouse: undefined, credentialsSecret: undefined, tokenEndpoint: undefined, scope: undefined }
const catalog = await openRestCatalog({ catalog: { ...address, caSecret: undefined }, readSecret, clock: systemClock })
const stores = storesOf(undefined, readSecret)
for (const [namespace, options] of Object.entries(layouts)) {
  const harness = icebergHarness(catalog, stores, { ...options, namespace })
  const { sink } = harness.process()
  await sink.open()
  for (let index = 0; index < commits; index++) {
    const from = index * ROWS
    const expected = index === 0 ? undefined : from
    const bad = index % 5 === 0 ? [from + 3] : []
    const parts = [0, 1].map(partition => ({ partition, from, to: from + ROWS, expected, bad }))
    const staged = await sink.stage(batchOf(harness.plan, parts, TAKEN_AT_MS + index * HOUR_MS))
    const outcome = await sink.commit([staged])
    if (outcome.status !== 'committed') throw new Error(`commit ${index} was ${outcome.status}`)
  }
  await sink.close()
  console.log(
    JSON.stringify({ namespace, rows: (await harness.rows()).length, dead: (await harness.deadLetters()).length })
  )
}
await catalog.close()
console.log(uri)
process.stdin.resume().on('end', () => void stop())
