import { s3Access } from '../../consumer/sinks/iceberg/access.ts'
import type { Catalog } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import { openIcebergSink, type IcebergSinkOptions } from '../../consumer/sinks/iceberg/sink.ts'
import { TableFiles, type OpenStore } from '../../consumer/sinks/iceberg/stores.ts'
import { tableName } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import { silentLog } from '../../lib/log.ts'
import { plannedTable } from '../conformance/batches.ts'
import type { SinkHarness } from '../conformance/sink-context.ts'
import { hastyClock } from './delta-harness.ts'
import { FaultyStore } from './faulty-store.ts'
import { FaultyCatalog } from './iceberg-faulty-catalog.ts'
import type { TableJson } from './iceberg-metadata.ts'
import { readIcebergRows } from './iceberg-reader.ts'

export interface IcebergHarnessOptions {
  /** As in the manifest: `[{source: Timestamp, transform: Hour}]`. */
  readonly partitionBy?: string
  readonly formatVersion?: 2 | 3
  /** Where tables are made; the catalog chooses when undefined. */
  readonly location?: string
  /** Default: `bronze`. */
  readonly namespace?: string
  readonly isOneStep?: boolean
  readonly close?: () => Promise<void>
  readonly sink?: Partial<IcebergSinkOptions>
}

/** Iceberg tables of any catalog and stores, as the conformance suite wants them. */
export function icebergHarness(
  catalog: Catalog,
  openStore: OpenStore,
  {
    partitionBy,
    formatVersion,
    location,
    namespace = 'bronze',
    isOneStep = false,
    close,
    sink
  }: IcebergHarnessOptions = {}
): SinkHarness {
  const fields = [
    'catalog: {uri: "http://catalog"}',
    ...(location === undefined ? [] : [`location: ${JSON.stringify(location)}`]),
    ...(partitionBy === undefined ? [] : [`partitionBy: ${partitionBy}`]),
    ...(formatVersion === undefined ? [] : [`formatVersion: ${formatVersion}`])
  ]
  const manifest = `{iceberg: {${fields.join(', ')}}}`
  const { pipeline, plan } = plannedTable(manifest, { namespace })
  let nextConsumer = 0
  const keysIn = async (table: string): Promise<readonly string[]> => {
    const loaded = await catalog.loadTable(tableName(table))
    if (loaded === undefined) return []
    const now = s3Access(loaded, (loaded.metadata as TableJson).location)
    const files = new TableFiles(async root => await openStore(root, { now, renew: async () => now }))
    const { rows } = await readIcebergRows(loaded.metadata as TableJson, async uri => await files.get(uri))
    await files.close()
    return rows.map(row => `${String(row['_kafka_partition'])}-${String(row['_kafka_offset'])}`).sort()
  }
  return {
    kind: 'iceberg',
    plan,
    isOneStep,
    widerPlan: plannedTable(manifest, { wider: true, namespace }).plan,
    process: ({ plan: wanted = plan, pipeline: name = 'test/conformance' } = {}) => {
      const faultyCatalog = new FaultyCatalog(catalog)
      const stores: FaultyStore[] = []
      let fault: FaultyStore['fault'] = () => undefined
      const author = { pipeline: name, createdAt: undefined, consumerId: `consumer-${nextConsumer++}` }
      const base = {
        plan: wanted,
        pipeline,
        catalog: faultyCatalog,
        openStore: async (root, access) => {
          const store = new FaultyStore(await openStore(root, access))
          store.fault = operation => fault(operation)
          stores.push(store)
          return store
        },
        clock: hastyClock,
        log: silentLog,
        author,
        commitAttempts: 12
      } satisfies IcebergSinkOptions
      return {
        sink: openIcebergSink({ ...base, ...sink }),
        onOperation: next => {
          fault = next
          faultyCatalog.fault = next
        },
        settle: async () => {
          for (const store of stores) await store.settle()
          await faultyCatalog.settle()
        },
        isCommit: ({ kind }) => kind === 'commitTable' || kind === 'commitTransaction'
      }
    },
    rows: async () => await keysIn(plan.table),
    deadLetters: async () => await keysIn(plan.deadLetterTable ?? ''),
    close: async () => await close?.()
  }
}
