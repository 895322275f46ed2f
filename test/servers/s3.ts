import { createHash, createHmac } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { installed } from './cache.ts'
import { freePorts, startProcess, stateFolder, untilReady } from './process.ts'
import { shared } from './shared.ts'

/** How to reach an S3 server of this machine; buckets are addressed by path. */
export interface S3Addresses {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Names have at least three characters. One that exists already is fine. */
  readonly createBucket: (name: string) => Promise<void>
}

export interface S3Server extends S3Addresses {
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** How the `deltalake` of Python and other programs on the Rust crate `object_store` are told to reach it. */
export const storageOptions = ({ endpoint, region, accessKeyId, secretAccessKey }: S3Addresses) => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_ALLOW_HTTP: 'true'
})

const REGION = 'us-east-1'
const KEY = 'bronze-test-key'
const SECRET = 'bronze-test-secret'

let own: Promise<S3Server> | undefined

/** The S3 server of the whole test run, or one for this process. Others use it too: take unique buckets or prefixes. */
export async function sharedS3(): Promise<S3Addresses> {
  const endpoint = shared('s3') as string | undefined
  return endpoint === undefined ? (own ??= startS3()) : addresses(endpoint)
}

/** A MinIO of its own, on one empty folder. `env` are further settings of it, `host` the address it listens at. */
export async function startS3(env: NodeJS.ProcessEnv = {}, host = '127.0.0.1'): Promise<S3Server> {
  const state = await stateFolder('s3')
  const objects = join(state.path, 'objects')
  await mkdir(objects)
  const [port = 0] = await freePorts(1)
  const server = startProcess(
    installed('s3', 'minio'),
    ['server', '--quiet', '--address', `${host}:${port}`, objects],
    {
      log: join(state.path, 'log'),
      state: state.path,
      env: {
        HOME: state.path,
        MINIO_ROOT_USER: KEY,
        MINIO_ROOT_PASSWORD: SECRET,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        MINIO_SCANNER_SPEED: 'slowest',
        ...env
      }
    }
  )
  const endpoint = `http://${host}:${port}`
  const isReady = async () => (await fetch(`${endpoint}/minio/health/ready`)).ok
  await untilReady('MinIO', server, isReady).catch(async (error: unknown) => {
    await state.remove()
    throw error
  })
  return {
    ...addresses(endpoint),
    pid: server.pid,
    stop: async () => {
      await server.stop()
      await state.remove()
    }
  }
}

export interface TemporaryCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAtMs: number
}

/** Credentials as a catalog vends them: they end, after 15 minutes at the earliest, and work with their session token alone. */
export async function temporaryCredentials({ endpoint }: Pick<S3Addresses, 'endpoint'>): Promise<TemporaryCredentials> {
  const url = new URL('/', endpoint)
  const form = { Action: 'AssumeRole', Version: '2011-06-15', DurationSeconds: '900' }
  const body = new URLSearchParams(form).toString()
  const headers = { ...signed('POST', url, 'sts', body), 'content-type': 'application/x-www-form-urlencoded' }
  const response = await fetch(url, { method: 'POST', headers, body })
  const answer = await response.text()
  const text = (name: string) => {
    const [, value] = new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer) ?? []
    if (value === undefined) throw new Error(`AssumeRole was answered ${response.status} without ${name}: ${answer}`)
    return value
  }
  return {
    accessKeyId: text('AccessKeyId'),
    secretAccessKey: text('SecretAccessKey'),
    sessionToken: text('SessionToken'),
    expiresAtMs: Date.parse(text('Expiration'))
  }
}

const addresses = (endpoint: string): S3Addresses => ({
  endpoint,
  region: REGION,
  accessKeyId: KEY,
  secretAccessKey: SECRET,
  createBucket: async name => {
    const url = new URL(`/${name}`, endpoint)
    for (let left = 50; ; left--) {
      const response = await fetch(url, { method: 'PUT', headers: signed('PUT', url) })
      const answer = await response.text()
      if (response.ok || answer.includes('BucketAlreadyOwnedByYou')) return
      // MinIO says that it is ready a moment before it takes requests.
      if (response.status !== 503 || left === 0)
        throw new Error(`bucket ${name} was not created: ${response.status} ${answer}`)
      await wait(100)
    }
  }
})

/** The headers of a request without query, signed as AWS Signature Version 4 has it. */
function signed(method: string, url: URL, service = 's3', body = ''): Record<string, string> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${REGION}/${service}/aws4_request`
  const digest = sha256(body)
  const headers = { host: url.host, 'x-amz-content-sha256': digest, 'x-amz-date': time }
  const names = Object.keys(headers).join(';')
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
  const request = [method, url.pathname, '', lines.join(''), names, digest].join('\n')
  const key = scope.split('/').reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${SECRET}`)
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n')).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${KEY}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return { 'x-amz-content-sha256': digest, 'x-amz-date': time, authorization }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
