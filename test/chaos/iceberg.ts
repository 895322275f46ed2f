import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startCatalog, type CatalogServer } from '../servers/catalog.ts'
import { startFacade } from '../servers/catalog-facade.ts'
import { pyicebergProperties } from '../servers/pyiceberg.ts'
import { python } from '../servers/readers.ts'
import { startS3, type S3Server } from '../servers/s3.ts'
import { expectationOf, type Expectation } from './expectation.ts'
import type { ChaosSink, Counted } from './sink.ts'
import { TOPICS, type Workload } from './workload.ts'

const COUNT_SCRIPT = fileURLToPath(new URL('./count_iceberg.py', import.meta.url))
const BUCKET = 'chaos'
const STORE = 'store'
const CATALOG = 'catalog'
const OUTAGE_MS = 2000

/** Iceberg tables of a catalog of their own, on an S3 server of their own. */
export async function startIceberg(): Promise<ChaosSink> {
  const { s3, catalog, outage, stop } = await startServers()
  return {
    upstreams: { store: { url: s3.endpoint, protocol: 's3' }, catalog: { url: catalog.uri, protocol: 'catalog' } },
    spec: ({ catalog: uri, store: endpoint }) => ({ iceberg: { catalog: { uri }, s3: storeSpec(s3, endpoint) } }),
    secrets: { [STORE]: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } },
    outage,
    count: workload => count(catalog, s3, workload),
    stop
  }
}

/** The same, but the catalog takes a commit of both tables in one step; it also has a prefix, and asks for tokens. */
export async function startIcebergTransactions(): Promise<ChaosSink> {
  const { s3, catalog, outage, stop } = await startServers()
  const oauth = { clientId: 'chaos', clientSecret: 'chaos secret' }
  const options = { prefix: 'lake', warehouse: 'lake', oauth, tokenSeconds: 20, hasTransactions: true }
  const facade = await startFacade({ upstream: catalog.uri, ...options })
  return {
    upstreams: { store: { url: s3.endpoint, protocol: 's3' }, catalog: { url: facade.uri, protocol: 'catalog' } },
    spec: ({ catalog: uri, store: endpoint }) => ({
      iceberg: {
        catalog: { uri, warehouse: 'lake', credentialsSecretRef: { name: CATALOG } },
        s3: storeSpec(s3, endpoint)
      }
    }),
    secrets: {
      [STORE]: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
      [CATALOG]: oauth
    },
    outage,
    count: async workload => {
      const isOneStep = facade.requests.some(request => request.endsWith('/transactions/commit'))
      const counted = await count(catalog, s3, workload)
      return isOneStep ? counted : { ...counted, differences: [...counted.differences, 'no commit was of both tables'] }
    },
    stop: async () => {
      await facade.stop()
      await stop()
    }
  }
}

async function startServers() {
  const s3 = await startS3()
  const catalog = await startCatalog({ warehouse: `s3://${BUCKET}/lake`, s3, heapMiB: 512 })
  const stop = async () => {
    await Promise.all([catalog.stop(), s3.stop()])
  }
  const outage = async () => {
    await catalog.kill()
    await wait(OUTAGE_MS)
    await catalog.restart()
  }
  return { s3, catalog, outage, stop }
}

const storeSpec = ({ region }: S3Server, endpoint: string | undefined) => ({
  endpoint,
  region,
  forcePathStyle: true,
  credentialsSecretRef: { name: STORE }
})

function count(catalog: CatalogServer, s3: S3Server, workload: Workload): Promise<Counted> {
  const tables = TOPICS.map(({ table }) => ({ path: table, deadLetters: table.replace(/([^.]+)$/, 'dlq_$1') }))
  return countIcebergTables({ tables, catalog: pyicebergProperties(catalog, s3), expected: expectationOf(workload) })
}

export interface IcebergCount {
  /** Names in the catalog. */
  readonly tables: readonly { readonly path: string; readonly deadLetters: string }[]
  /** What pyiceberg has to know of it. */
  readonly catalog: Readonly<Record<string, string>>
  readonly expected: readonly Expectation[]
}

/** Holds tables and dead-letter tables against what was produced. */
export async function countIcebergTables(count: IcebergCount): Promise<Counted> {
  return JSON.parse(await python(COUNT_SCRIPT, [], {}, JSON.stringify(count))) as Counted
}
