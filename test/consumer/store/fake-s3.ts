import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { S3Options } from '../../../crds/s3-options.ts'
import { S3Store } from '../../../consumer/store/s3.ts'
import { serveHttp } from '../../fakes/http-server.ts'

export interface S3Request {
  /** `PUT`, or `POST ?uploads`: method and the names of the query. */
  readonly what: string
  readonly host: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly bytes: number
}

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message?: string
}

export interface FakeS3 {
  readonly endpoint: string
  readonly requests: S3Request[]
  /** Asked before each request takes effect; replaced at will. */
  refuse: (request: S3Request) => Refusal | undefined
  /** The key of whoever has signed the request. */
  readonly signers: () => readonly string[]
}

/** As much of S3 as stores need, in memory and without a look at signatures; it keeps what it was asked. */
export async function fakeS3(context: TestContext): Promise<FakeS3> {
  const objects = new Map<string, Buffer>()
  const requests: S3Request[] = []
  const fake: FakeS3 = {
    endpoint: await serveHttp(context, (request, response) => void handle(request, response)),
    requests,
    refuse: () => undefined,
    signers: () =>
      requests.map(({ headers }) => /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'nobody')
  }

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(message)
    const url = new URL(message.url ?? '/', fake.endpoint)
    const names = [...url.searchParams.keys()].filter(name => name !== 'x-id').sort()
    const what = `${message.method} ${names.length === 0 ? '' : `?${names.join('&')}`}`.trimEnd()
    const path = decodeURIComponent(url.pathname)
    const { headers } = message
    const request = { what, host: headers.host ?? '', path, headers, bytes: body.length }
    requests.push(request)
    const refusal = fake.refuse(request) ?? perform(request, body)
    const end = (status: number, xml = '', more: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/xml', etag: '"1"', ...more })
      response.end(message.method === 'HEAD' ? '' : xml)
    }
    if (refusal === undefined) end(200, answerTo(what))
    else if (Buffer.isBuffer(refusal)) {
      response.writeHead(200, { etag: '"1"', 'content-length': refusal.length })
      response.end(message.method === 'HEAD' ? '' : refusal)
    } else {
      const { status, code, message: text = code } = refusal
      end(status, `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${text}</Message></Error>`)
    }
  }

  function perform({ what, path, headers }: S3Request, body: Buffer): Refusal | Buffer | undefined {
    switch (what) {
      case 'PUT': {
        if (headers['if-none-match'] === '*' && objects.has(path)) return { status: 412, code: 'PreconditionFailed' }
        const source = headers['x-amz-copy-source']
        const from = source === undefined ? body : objects.get(`/${decodeURIComponent(String(source))}`)
        if (from === undefined) return { status: 404, code: 'NoSuchKey' }
        objects.set(path, from)
        return undefined
      }
      case 'GET':
      case 'HEAD':
        return objects.get(path) ?? { status: 404, code: 'NoSuchKey' }
      case 'POST ?uploadId':
        objects.set(path, Buffer.from('in parts'))
        return undefined
      default:
        return undefined
    }
  }
  return fake
}

const answerTo = (what: string): string =>
  what === 'POST ?uploads'
    ? '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>'
    : what === 'POST ?uploadId'
      ? '<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>'
      : what === 'PUT'
        ? '<CopyObjectResult><ETag>"1"</ETag></CopyObjectResult>'
        : ''

/** A store on the bucket `lake` that ends with the test. */
export async function storeAt(
  context: TestContext,
  endpoint: string,
  options: Partial<S3Options> = {},
  isConditional = false
): Promise<S3Store> {
  const all: S3Options = {
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentialsSecret: 's3',
    caSecret: undefined,
    ...options
  }
  const store = await S3Store.open('lake', 'raw', all, async (_name, key) => (key === 'sessionToken' ? '' : 'secret'), {
    field: 'spec.sink.s3',
    isConditional
  })
  context.after(async () => await store.close())
  return store
}
