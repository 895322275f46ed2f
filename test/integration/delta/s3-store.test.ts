import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { test, type TestContext } from 'node:test'
import type { S3Options } from '../../../crds/s3-options.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import type { ObjectStore } from '../../../consumer/store/object-store.ts'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { testStore } from '../../conformance/store.ts'
import { Authority, type Identity } from '../../servers/certificates.ts'
import { need } from '../../servers/need.ts'
import { s3Location } from './s3-location.ts'

testStore(
  'S3',
  async () => {
    const { location, options, readSecret } = await s3Location()
    return { store: await openObjectStore(location, options, readSecret), close: async () => {} }
  },
  need('s3')
)

test(
  'S3: a bucket that is absent, a wrong key and a missing secret name the field to correct',
  need('s3'),
  async () => {
    const { options, readSecret, location } = await s3Location()
    const refused = async (opening: Promise<ObjectStore>, pattern: RegExp) => {
      const store = await opening
      await assert.rejects(store.size('a'), (error: unknown) => {
        assert.ok(error instanceof FatalError, String(error))
        assert.match(error.message, pattern)
        assert.doesNotMatch(error.message, /bronze-test-secret/)
        return true
      })
      await store.close()
    }
    await refused(
      openObjectStore('s3://no-such-bucket-at-all/x', options, readSecret),
      /Create the bucket or correct spec\.sink\.delta\.location/
    )
    const wrong = async (_name: string, key: string) =>
      key === 'secretAccessKey' ? 'wrong' : await readSecret('s3', key)
    await refused(openObjectStore(location, options, wrong), /spec\.sink\.delta\.s3\.credentialsSecretRef/)
    await refused(
      openObjectStore(location, options, async () => undefined),
      /has no key accessKeyId/
    )
  }
)

test(
  'S3: a secret is read when the store opens and again a minute later, not with each request',
  need('s3'),
  async context => {
    const { location, options, readSecret } = await s3Location()
    let reads = 0
    const counted = async (name: string, key: string) => {
      if (key === 'accessKeyId') reads++
      return await readSecret(name, key)
    }
    const store = await openObjectStore(location, options, counted)
    await store.putIfAbsent('a', [Buffer.from('a')])
    await store.putIfAbsent('b', [Buffer.from('b')])
    const opened = reads
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
    await store.putIfAbsent('c', [Buffer.from('c')])
    assert.equal(reads, opened + 1)
    await store.close()
  }
)

/** Answers every request alike; no S3 at all behind it. */
async function gateway(context: TestContext, status: number, body: string, tls?: Identity) {
  let requests = 0
  const answer: RequestListener = (request, response) => {
    requests++
    const headers = { 'content-type': 'application/xml', etag: '"1"' }
    request.resume().on('end', () => response.writeHead(status, headers).end(body))
  }
  const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const options: S3Options = {
    endpoint: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentialsSecret: 's3',
    caSecret: undefined
  }
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  context.after(close)
  return { options, close, requests: () => requests }
}

test('S3: a gateway that overwrites in spite of If-None-Match is refused before anything is written', async context => {
  const { options, requests } = await gateway(context, 200, '')
  const store = await openObjectStore('s3://bucket/x', options, async () => 'key')
  await assert.rejects(
    store.putIfAbsent('a', [Buffer.from('a')]),
    (error: unknown) => error instanceof FatalError && error.reason === 'NoPutIfAbsent'
  )
  assert.equal(requests(), 2)
  await store.close()
})

test('S3: a server error on a conditional write is sent once, its outcome is unknown, and it may pass', async context => {
  const { options, close, requests } = await gateway(context, 503, '<Error><Code>SlowDown</Code></Error>')
  const store = await openObjectStore('s3://bucket/x', options, async () => 'key')
  for (const count of [1, 2]) {
    await assert.rejects(
      store.putIfAbsent('a', [Buffer.from('a')]),
      (error: unknown) => error instanceof RetryableError && error.code === 'S3Throttled'
    )
    assert.equal(requests(), count)
  }
  await store.close()
  close()
  await assert.rejects(
    store.size('a'),
    (error: unknown) => error instanceof RetryableError && error.code === 'S3Unreachable'
  )
})

test('S3: a certificate is trusted by the authority in the secret, and without it the field is named', async context => {
  const authority = new Authority('authority of s3')
  const identity = authority.issue({ commonName: 's3', usage: 'server', addresses: ['127.0.0.1'] })
  const { options } = await gateway(context, 503, '<Error><Code>SlowDown</Code></Error>', identity)
  const untrusting = await openObjectStore('s3://bucket/x', options, async () => 'key')
  await assert.rejects(untrusting.size('a'), (error: unknown) => {
    assert.ok(error instanceof FatalError, String(error))
    assert.match(error.message, /spec\.sink\.delta\.s3\.caSecretRef/)
    return true
  })
  const secret = async (_name: string, key: string) => (key === 'ca.crt' ? authority.cert : 'key')
  const trusting = await openObjectStore('s3://bucket/x', { ...options, caSecret: 'ca' }, secret)
  await assert.rejects(
    trusting.putIfAbsent('a', [Buffer.from('a')]),
    (error: unknown) => error instanceof RetryableError && error.code === 'S3Throttled'
  )
  await Promise.all([untrusting.close(), trusting.close()])
})
