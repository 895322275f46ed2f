import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { openRestCatalog } from '../../../consumer/sinks/iceberg/catalog/rest.ts'
import { storesOf } from '../../../consumer/sinks/iceberg/stores.ts'
import { systemClock } from '../../../lib/clock.ts'
import type { SinkHarness } from '../../conformance/sink-context.ts'
import { catalogAt } from '../../fakes/catalog-options.ts'
import { icebergHarness, type IcebergHarnessOptions } from '../../fakes/iceberg-harness.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { startPyiceberg, type Pyiceberg } from './pyiceberg.ts'

/** A namespace of its own in the shared catalog, for us and for pyiceberg. */
export interface Lake {
  readonly harness: SinkHarness
  readonly foreign: Pyiceberg
  /** Names in the catalog. */
  readonly table: string
  readonly deadLetters: string
}

/** Closed at the end of the test. */
export async function openLake(
  context: Pick<TestContext, 'after'>,
  options: IcebergHarnessOptions = {}
): Promise<Lake> {
  const { uri, s3 } = await sharedCatalog()
  const secret: Readonly<Record<string, string>> = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey }
  const readSecret = async (_name: string, key: string) => secret[key]
  const catalog = await openRestCatalog({ catalog: catalogAt(uri), readSecret, clock: systemClock })
  const { endpoint, region } = s3
  const stores = storesOf(
    { endpoint, region, forcePathStyle: true, credentialsSecret: 's3', caSecret: undefined },
    readSecret
  )
  const namespace = `lake_${randomUUID().replaceAll('-', '')}`
  const [harness, foreign] = [
    icebergHarness(catalog, stores, { ...options, namespace }),
    await startPyiceberg({ uri }, s3)
  ]
  context.after(async () => {
    await foreign.close()
    await harness.close()
    await catalog.close()
  })
  return { harness, foreign, table: `${namespace}.orders`, deadLetters: `${namespace}.dlq_orders` }
}

/** The next offset of a partition, as a process that has just started sees it. */
export async function nextOffset({ harness }: Lake, partition = 0): Promise<number | undefined> {
  const { sink } = harness.process()
  await sink.open()
  const { offsets } = await sink.recover(['orders'])
  await sink.close()
  return offsets.get(`orders-${partition}`)?.nextOffset
}
