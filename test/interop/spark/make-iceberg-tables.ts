import { openRestCatalog } from '../../../consumer/sinks/iceberg/catalog/rest.ts'
import { storesOf } from '../../../consumer/sinks/iceberg/stores.ts'
import type { Sink } from '../../../consumer/sink.ts'
import { systemClock } from '../../../lib/clock.ts'
import { TAKEN_AT_MS, batchOf } from '../../conformance/batches.ts'
import type { SinkHarness } from '../../conformance/sink-context.ts'
import { icebergHarness, type IcebergHarnessOptions } from '../../fakes/iceberg-harness.ts'
import { startCatalog } from '../../servers/catalog.ts'

/**
 * Makes tables and their dead-letter tables in a catalog of their own, and keeps it until its input ends; then goes on with
 * one more commit to each, after whatever was done to them: `node make-iceberg-tables.ts [COMMITS]`.
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
const harnesses = Object.entries(layouts).map(([namespace, options]) => {
  return [namespace, icebergHarness(catalog, stores, { ...options, namespace })] as const
})

for (const [namespace, harness] of harnesses) {
  const { sink } = harness.process()
  await sink.open()
  for (let index = 0; index < commits; index++) await commit(sink, harness, index)
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
    await commit(sink, harness, commits)
    await sink.close()
    console.log(JSON.stringify({ namespace, next, rows: (await harness.rows()).length }))
  }
  await catalog.close()
  await stop()
}

async function commit(sink: Sink, { plan }: SinkHarness, index: number): Promise<void> {
  const from = index * ROWS
  const expected = index === 0 ? undefined : from
  const bad = index % 5 === 0 ? [from + 3] : []
  const parts = [0, 1].map(partition => ({ partition, from, to: from + ROWS, expected, bad }))
  const outcome = await sink.commit([await sink.stage(batchOf(plan, parts, TAKEN_AT_MS + index * HOUR_MS))])
  if (outcome.status !== 'committed') throw new Error(`commit ${index} was ${outcome.status}`)
}
