import type { TablePlan } from '../../consumer/columns/bronze.ts'
import type { CommitAuthor, Sink } from '../../consumer/sink.ts'
import { openDeltaSink } from '../../consumer/sinks/delta/sink.ts'
import type { Catalog } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import { openIcebergSink } from '../../consumer/sinks/iceberg/sink.ts'
import { openS3Sink } from '../../consumer/sinks/s3/sink.ts'
import type { ObjectStore } from '../../consumer/store/object-store.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { Gate } from '../../lib/gate.ts'
import type { Log } from '../../lib/log.ts'
import { readDeltaRows } from '../fakes/delta-reader.ts'
import { MemoryCatalog } from '../fakes/iceberg-catalog.ts'
import { readIcebergRows } from '../fakes/iceberg-reader.ts'
import { MemoryStore } from '../fakes/object-store.ts'
import { readByGlob, readCommitted } from '../fakes/s3-sink-reader.ts'
import { FaultyCatalog } from './faulty-catalog.ts'
import type { FaultyCalls } from './faulty-calls.ts'
import { FaultyStore } from './faulty-store.ts'

export type SinkKind = 'delta' | 'iceberg' | 's3'

/** The sink of a night that nobody chose one for. */
export const sinkOf = (seed: number): SinkKind => (seed % 2 === 1 ? 'iceberg' : seed % 4 === 0 ? 'delta' : 's3')

/** Bugs of the servers that tables lie on, or of their clients. */
export interface ServerBugs {
  readonly store?: (store: ObjectStore) => ObjectStore
  readonly catalog?: (catalog: Catalog) => Catalog
  readonly catalogClient?: (catalog: Catalog) => Catalog
}

interface Member {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  readonly calls: FaultyCalls
  readonly clock: Clock
  readonly log: Log
  readonly author: CommitAuthor
}

/** The tables of one night, whatever their format. */
export interface SimulatedTables {
  /** In the manifest. */
  readonly sink: string
  /** Whether fields of values can become columns. */
  readonly growsColumns: boolean
  openSink(member: Member): Sink
  /** All live rows of a table and how many commits it has had. */
  read(
    table: string
  ): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly commits: number }>
}

export function tablesOf(
  kind: SinkKind,
  bugs: ServerBugs,
  options: { readonly seed: number; readonly nowMs: () => number }
): SimulatedTables {
  switch (kind) {
    case 'delta':
      return deltaTables(bugs)
    case 'iceberg':
      return icebergTables(bugs, options)
    case 's3':
      return objectTables(bugs, options)
  }
}

const PARTITIONINGS = [
  '[]',
  '[{source: IngestedAt, transform: Day}]',
  '[{source: Timestamp, transform: Hour}, {source: Offset, transform: Truncate, width: 4}]'
]

function deltaTables({ store: bug }: ServerBugs): SimulatedTables {
  const store = new MemoryStore()
  return {
    sink: '{delta: {location: "file:///simulated"}}',
    growsColumns: true,
    openSink: ({ calls, ...rest }) => {
      const faulty = new FaultyStore(store, calls)
      return openDeltaSink({ ...rest, store: bug?.(faulty) ?? faulty })
    },
    read: async table => {
      const { rows, version } = await readDeltaRows(store, table.replaceAll('.', '/'))
      return { rows, commits: version }
    }
  }
}

function icebergTables(
  { catalog: bug, catalogClient: clientBug }: ServerBugs,
  { seed, nowMs }: { readonly seed: number; readonly nowMs: () => number }
): SimulatedTables {
  const store = new MemoryStore()
  // A quarter of the nights has a catalog that changes several tables at once.
  const catalog = new MemoryCatalog({ nowMs, hasTransactions: seed % 4 === 1 })
  return {
    sink: `{iceberg: {catalog: {uri: "http://simulated"}, partitionBy: ${PARTITIONINGS[seed % 3]}}}`,
    growsColumns: true,
    openSink: ({ calls, ...rest }) => {
      const openStore = async () => new FaultyStore(store, calls)
      const client = new FaultyCatalog(bug?.(catalog) ?? catalog, calls)
      return openIcebergSink({ ...rest, catalog: clientBug?.(client) ?? client, openStore })
    },
    read: async table => {
      const metadata = catalog.tables.get(table)
      const { rows } = await readIcebergRows(metadata, async uri => await store.get(uri.replace('file:///', '')))
      return { rows, commits: metadata?.['last-sequence-number'] ?? 0 }
    }
  }
}

/** Layouts take turns. Lines would be compressed on other threads, which no seed replays. */
function objectTables({ store: bug }: ServerBugs, { seed }: { readonly seed: number }): SimulatedTables {
  const store = new MemoryStore()
  const isGlob = Math.floor(seed / 4) % 2 === 1
  return {
    sink: `{s3: {location: "file:///simulated", layout: ${isGlob ? 'Glob' : 'Partitioned'}}}`,
    growsColumns: false,
    openSink: ({ calls, ...rest }) => {
      const faulty = new FaultyStore(store, calls)
      const { sink } = rest.pipeline
      if (sink.kind !== 's3') throw new Error(`the sink is ${sink.kind}`)
      return openS3Sink({ ...rest, lines: new Gate(2), sink: sink.s3, store: bug?.(faulty) ?? faulty })
    },
    read: async table => {
      const main = table.replace('.dlq_', '.')
      const { rows, deadLetters, commits } = await readCommitted(store, main)
      if (main !== table)
        return { rows: isGlob ? await readByGlob(store, table) : (deadLetters.get(table) ?? []), commits: 0 }
      return { rows: isGlob ? await readByGlob(store, table) : rows, commits }
    }
  }
}
