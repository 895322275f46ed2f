import { openRestCatalog } from '../../../consumer/sinks/iceberg/catalog/rest.ts'
import { storesOf } from '../../../consumer/sinks/iceberg/stores.ts'
import { systemClock } from '../../../lib/clock.ts'
import { TAKEN_AT_MS } from '../../conformance/batches.ts'
import { commitHour } from '../../conformance/commits.ts'
import { catalogAt } from '../../fakes/catalog-options.ts'
import { icebergHarness, type IcebergHarnessOptions } from '../../fakes/iceberg-harness.ts'
import { startCatalog } from '../../servers/catalog.ts'

/**
 * Makes tables and their dead-letter tables in a catalog of their own, and keeps it until its input ends; then goes on with
 * one more commit to each, after whatever was done to them: `node make-iceberg-tables.ts [COMMITS]`.
 */
const commits = Number(process.argv[2] ?? '45')
const HOUR = { rows: 200, startMs: TAKEN_AT_MS }

const layouts: Readonly<Record<string, IcebergHarnessOptions>> = {
  by_day: {},
  by_hour: { partitionBy: '[{source: IngestedAt, transform: Hour}]' },
  plain: { partitionBy: '[]' },
  format3: { formatVersion: 3 }
}

const { uri, stop } = await startCatalog()
const readSecret = async () => undefined
const catalog = await openRestCatalog({ catalog: catalogAt(uri), readSecret, clock: systemClock })
const stores = storesOf(undefined, readSecret)
const harnesses = Object.entries(layouts).map(([namespace, options]) => {
  return [namespace, icebergHarness(catalog, stores, { ...options, namespace })] as const
})

for (const [namespace, harness] of harnesses) {
  const { sink } = harness.process()
  await sink.open()
  for (let hour = 0; hour < commits; hour++) await commitHour(sink, harness, hour, HOUR)
  await sink.close()
  const [rows, deadLetters] = [await harness.rows(), await harness.deadLetters()]
  console.log(JSON.stringify({ namespace, rows: rows.length, deadLetters: deadLetters.length }))
}
console.log(uri)
process.stdin.resume().on('end', () => void goOn())

async function goOn(): Promise<void> {
  for (const [namespace, harness] of harnesses) {
    const { sink } = harness.process()
    await sink.open()
    const { offsets } = await sink.recover(['orders'])
    const next = offsets.get('orders-0')?.nextOffset
    await commitHour(sink, harness, commits, HOUR)
    await sink.close()
    console.log(JSON.stringify({ namespace, next, rows: (await harness.rows()).length }))
  }
  await catalog.close()
  await stop()
}
