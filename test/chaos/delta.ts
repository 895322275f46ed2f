import { fileURLToPath } from 'node:url'
import { python } from '../servers/readers.ts'
import { startS3, storageOptions, type S3Server } from '../servers/s3.ts'
import { expectationOf, type Expectation } from './expectation.ts'
import type { ChaosSink, Counted } from './sink.ts'
import { TOPICS, type Workload } from './workload.ts'

const COUNT_SCRIPT = fileURLToPath(new URL('./count_delta.py', import.meta.url))
const BUCKET = 'chaos'
const SECRET = 'store'

/** Delta tables on an S3 server of their own. */
export async function startDelta(): Promise<ChaosSink> {
  const s3 = await startS3()
  await s3.createBucket(BUCKET)
  return {
    upstreams: { store: { url: s3.endpoint, protocol: 's3' } },
    spec: endpoints => ({
      delta: {
        location: `s3://${BUCKET}/lake`,
        s3: {
          endpoint: endpoints['store'],
          region: s3.region,
          forcePathStyle: true,
          credentialsSecretRef: { name: SECRET }
        }
      }
    }),
    secrets: { [SECRET]: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } },
    count: workload => count(s3, workload),
    stop: s3.stop
  }
}

function count(s3: S3Server, workload: Workload): Promise<Counted> {
  const tables = TOPICS.map(({ table }) => {
    const path = `s3://${BUCKET}/lake/${table.replaceAll('.', '/')}`
    return { path, deadLetters: path.replace(/([^/]+)$/, 'dlq_$1') }
  })
  const storage = storageOptions(s3)
  return countDeltaTables({ tables, storage, expected: expectationOf(workload) })
}

export interface DeltaCount {
  /** Locations as deltalake takes them, with its storage options. */
  readonly tables: readonly { readonly path: string; readonly deadLetters: string }[]
  readonly storage: Readonly<Record<string, string>>
  readonly expected: readonly Expectation[]
}

/** Holds tables and dead-letter tables against what was produced. */
export async function countDeltaTables(count: DeltaCount): Promise<Counted> {
  return JSON.parse(await python(COUNT_SCRIPT, [], {}, JSON.stringify(count))) as Counted
}
