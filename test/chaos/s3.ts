import { fileURLToPath } from 'node:url'
import { python } from '../servers/readers.ts'
import { startS3, type S3Server } from '../servers/s3.ts'
import { expectationOf, type Expectation } from './expectation.ts'
import type { ChaosSink, Counted } from './sink.ts'
import { TOPICS, type Workload } from './workload.ts'

const COUNT_SCRIPT = fileURLToPath(new URL('./count_s3.py', import.meta.url))
const BUCKET = 'chaos'
const SECRET = 'store'

/** Parquet objects that commit objects name. */
export const startObjects = async (): Promise<ChaosSink> => await start('Partitioned', 'Parquet')

/** Lines of JSON for readers that take whatever is in a folder. */
export const startGlobs = async (): Promise<ChaosSink> => await start('Glob', 'Ndjson')

async function start(layout: Layout, format: string): Promise<ChaosSink> {
  const s3 = await startS3()
  await s3.createBucket(BUCKET)
  return {
    upstreams: { store: { url: s3.endpoint, protocol: 's3' } },
    spec: endpoints => ({
      s3: {
        location: `s3://${BUCKET}/lake`,
        layout,
        format,
        s3: {
          endpoint: endpoints['store'],
          region: s3.region,
          forcePathStyle: true,
          credentialsSecretRef: { name: SECRET }
        }
      }
    }),
    secrets: { [SECRET]: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } },
    count: workload => count(s3, layout, workload),
    stop: s3.stop
  }
}

async function count(s3: S3Server, layout: Layout, workload: Workload): Promise<Counted> {
  const tables = TOPICS.map(({ table }) => ({ path: table, deadLetters: table.replace(/([^.]+)$/, 'dlq_$1') }))
  return await countObjects({
    tables,
    layout,
    location: `s3://${BUCKET}/lake`,
    store: storeOf(s3),
    expected: expectationOf(workload)
  })
}

type Layout = 'Partitioned' | 'Glob'

/** What PyArrow has to know of an S3 server. */
export const storeOf = ({
  endpoint,
  region,
  accessKeyId,
  secretAccessKey
}: Pick<S3Server, 'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey'>) => ({
  endpoint_override: endpoint.replace(/^https?:\/\//, ''),
  scheme: 'http',
  region,
  access_key: accessKeyId,
  secret_key: secretAccessKey
})

export interface ObjectCount {
  /** Names of tables. */
  readonly tables: readonly { readonly path: string; readonly deadLetters: string }[]
  readonly layout: Layout
  /** `s3://bucket/prefix`, or a folder. */
  readonly location: string
  readonly store?: ReturnType<typeof storeOf>
  readonly expected: readonly Expectation[]
}

/** Holds tables and dead letters against what was produced. */
export async function countObjects(count: ObjectCount): Promise<Counted> {
  return JSON.parse(await python(COUNT_SCRIPT, [], {}, JSON.stringify(count))) as Counted
}
