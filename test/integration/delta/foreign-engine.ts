import { fileURLToPath } from 'node:url'
import type { SinkHarness } from '../../conformance/sink-context.ts'
import { deltaHarness, type DeltaHarnessOptions } from '../../fakes/delta-harness.ts'
import { openObjectStore } from '../../../consumer/store/open.ts'
import type { ObjectStore } from '../../../consumer/store/object-store.ts'
import { python } from '../../servers/readers.ts'
import { s3Location } from './s3-location.ts'

export interface ForeignView {
  readonly version: number
  readonly files: number
  readonly filesToRead: number
  /** Partition, rows, distinct offsets, least and greatest offset. */
  readonly offsets: readonly (readonly number[])[]
  readonly rows: number
  readonly columns: readonly string[]
  readonly partitions: readonly string[]
  readonly dates: readonly string[]
  readonly protocol: readonly number[]
  readonly transactions: Readonly<Record<string, number>>
}

export type Verb = 'read' | 'checkpoint' | 'compact' | 'delete' | 'restore' | 'append' | 'create'

export interface Lake {
  readonly store: ObjectStore
  readonly harness: SinkHarness
  /** Lets delta-rs do something to a table (`bronze/orders`). */
  readonly foreign: (verb: Verb, folder: string, given?: object) => Promise<ForeignView>
}

const SCRIPT = fileURLToPath(new URL('./table.py', import.meta.url))

/** Tables on the shared S3 server, for us and for delta-rs. */
export async function openLake(options: DeltaHarnessOptions = {}): Promise<Lake> {
  const { location, options: s3, readSecret, storageOptions } = await s3Location()
  const store = await openObjectStore(location, s3, readSecret)
  return {
    store,
    harness: deltaHarness(store, { ...options, close: async () => await store.close() }),
    foreign: async (verb, folder, given = {}) =>
      JSON.parse(
        await python(SCRIPT, [verb, `${location}/${folder}`, JSON.stringify(storageOptions), JSON.stringify(given)])
      ) as ForeignView
  }
}
