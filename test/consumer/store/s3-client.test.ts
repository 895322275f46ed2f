import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientOptions } from '../../../consumer/store/s3-client.ts'
import { FatalError } from '../../../lib/errors.ts'

const USE = { field: 'spec.sink.delta', isConditional: true }
const OPTIONS = {
  endpoint: 'http://127.0.0.1:9000',
  region: 'us-east-1',
  forcePathStyle: true,
  credentialsSecret: 'key',
  caSecret: undefined,
  encryption: undefined
} as unknown as Parameters<typeof clientOptions>[0]

/** The SDK asks for others this long before credentials expire. */
const SDK_WINDOW_MS = 300_000

test('rotated credentials are taken up within a minute, without a restart', async () => {
  const files: Record<string, string> = { accessKeyId: 'old', secretAccessKey: 'old-secret' }
  const { credentials } = await clientOptions(OPTIONS, (_, key) => Promise.resolve(files[key]), USE)
  assert.equal(typeof credentials, 'function')
  const read = credentials as () => Promise<{ accessKeyId: string; secretAccessKey: string; expiration: Date }>
  const first = await read()
  assert.equal(first.accessKeyId, 'old')
  // By then the SDK asks again, for it takes them for expired.
  assert.ok(first.expiration.getTime() - SDK_WINDOW_MS - Date.now() <= 60_000)
  Object.assign(files, { accessKeyId: 'new\n', secretAccessKey: 'new-secret', sessionToken: 'token' })
  const { expiration: _expiration, ...second } = await read()
  assert.deepEqual(second, { accessKeyId: 'new', secretAccessKey: 'new-secret', sessionToken: 'token' })
})

test('a Secret that lost a key is named, its values are not', async () => {
  const files: Record<string, string> = { accessKeyId: 'abc', secretAccessKey: '' }
  const { credentials } = await clientOptions(OPTIONS, (_, key) => Promise.resolve(files[key]), USE)
  await assert.rejects((credentials as () => Promise<unknown>)(), (error: unknown) => {
    assert.ok(error instanceof FatalError)
    assert.equal(error.message, 'Secret key (spec.sink.delta.s3.credentialsSecretRef) has no key secretAccessKey.')
    return true
  })
})
