import { fileURLToPath } from 'node:url'
import { python } from '../servers/readers.ts'
import { startS3, type S3Server } from '../servers/s3.ts'
import { TOPICS, type Workload } from './workload.ts'
import { expectationOf, type Expectation } from './expectation.ts'

/** Where the chaos runs write to: how a pipeline names it, and how another project counts what has arrived. */
export interface ChaosSink {
  /** The real server; consumers are told the address of a proxy before it. */
  readonly upstream: string
  /** `spec.sink` for a consumer that reaches the store at `endpoint`. */
  readonly spec: (endpoint: string) => Readonly<Record<string, unknown>>
  /** Secrets as a pod mounts them: name, key, value. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly count: (workload: Workload) => Promise<Counted>
  readonly stop: () => Promise<void>
}

/** What readers of other projects found in the tables. */
export interface Counted {
  readonly inTable: number
  readonly deadLetters: number
  readonly missing: number
  readonly duplicates: number
  /** The first of whatever is not as it should be, in words. */
  readonly differences: readonly string[]
}

export const sinks: Readonly<Record<string, () => Promise<ChaosSink>>> = { delta: startDelta }

const COUNT_SCRIPT = fileURLToPath(new URL('./count_delta.py', import.meta.url))
const BUCKET = 'chaos'
const SECRET = 'store'

async function startDelta(): Promise<ChaosSink> {
  const s3 = await startS3()
  await s3.createBucket(BUCKET)
  return {
    upstream: s3.endpoint,
    spec: endpoint => ({
      delta: {
        location: `s3://${BUCKET}/lake`,
        s3: { endpoint, region: s3.region, forcePathStyle: true, credentialsSecretRef: { name: SECRET } }
      }
    }),
    secrets: { [SECRET]: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } },
    count: workload => countDelta(s3, workload),
    stop: s3.stop
  }
}

function countDelta(s3: S3Server, workload: Workload): Promise<Counted> {
  const tables = TOPICS.map(({ table }) => {
    const path = `s3://${BUCKET}/lake/${table.replaceAll('.', '/')}`
    return { path, deadLetters: path.replace(/([^/]+)$/, 'dlq_$1') }
  })
  const storage = {
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_ALLOW_HTTP: 'true'
  }
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
