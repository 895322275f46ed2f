import { fileURLToPath } from 'node:url'
import { startCatalog, type CatalogServer } from '../servers/catalog.ts'
import { pyicebergProperties } from '../servers/pyiceberg.ts'
import { python } from '../servers/readers.ts'
import { startS3, type S3Server } from '../servers/s3.ts'
import { expectationOf, type Expectation } from './expectation.ts'
import type { ChaosSink, Counted } from './sink.ts'
import { TOPICS, type Workload } from './workload.ts'

const COUNT_SCRIPT = fileURLToPath(new URL('./count_iceberg.py', import.meta.url))
const BUCKET = 'chaos'
const SECRET = 'store'

/** Iceberg tables of a catalog of their own, on an S3 server of their own. */
export async function startIceberg(): Promise<ChaosSink> {
  const s3 = await startS3()
  const warehouse = `s3://${BUCKET}/lake`
  const catalog = await startCatalog({ warehouse, s3, heapMiB: 512 })
  return {
    upstreams: { store: { url: s3.endpoint, protocol: 's3' }, catalog: { url: catalog.uri, protocol: 'catalog' } },
    spec: endpoints => ({
      iceberg: {
        catalog: { uri: endpoints['catalog'], warehouse },
        s3: {
          endpoint: endpoints['store'],
          region: s3.region,
          forcePathStyle: true,
          credentialsSecretRef: { name: SECRET }
        }
      }
    }),
    secrets: { [SECRET]: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } },
    count: workload => count(catalog, s3, workload),
    stop: async () => {
      await Promise.all([catalog.stop(), s3.stop()])
    }
  }
}

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
