import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { type S3Options } from '../../../crds/settled.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { testStore } from '../../conformance/store.ts'
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
    const refused = async (opening: Promise<unknown>, pattern: RegExp) =>
      await assert.rejects(opening, (error: unknown) => {
        assert.ok(error instanceof FatalError, String(error))
        assert.match(error.message, pattern)
        assert.doesNotMatch(error.message, /bronze-test-secret/)
        return true
      })
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
async function gateway(status: number, body: string) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status, { 'content-type': 'application/xml' }).end(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const options: S3Options = {
    endpoint: `http://127.0.0.1:${address.port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentialsSecret: 's3',
    caSecret: undefined
  }
  return { options, close: () => server.closeAllConnections() ?? server.close() }
}

test('S3: a gateway that overwrites in spite of If-None-Match is refused at the start', async () => {
  const { options, close } = await gateway(200, '')
  await assert.rejects(
    openObjectStore('s3://bucket/x', options, async () => 'key'),
    (error: unknown) => error instanceof FatalError && error.reason === 'NoPutIfAbsent'
  )
  close()
})

test('S3: a server error on a conditional write is sent once and its outcome is unknown', async () => {
  const { options, close } = await gateway(503, '<Error><Code>SlowDown</Code></Error>')
  await assert.rejects(
    openObjectStore('s3://bucket/x', options, async () => 'key'),
    (error: unknown) => error instanceof RetryableError && error.code === 'S3Throttled'
  )
  close()
})
