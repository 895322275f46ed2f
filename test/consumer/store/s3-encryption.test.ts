import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { S3Encryption } from '../../../crds/s3-options.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { fakeS3, storeAt } from './fake-s3.ts'

const LARGE = Buffer.alloc(9 * 2 ** 20)
const NONE = { algorithm: undefined, key: undefined }

const CASES: readonly [string, S3Encryption | undefined, { algorithm: unknown; key: unknown }][] = [
  ['none', undefined, NONE],
  ['that of S3', { kind: 'S3' }, { algorithm: 'AES256', key: undefined }],
  ['the account’s KMS key', { kind: 'Kms', keyId: undefined }, { algorithm: 'aws:kms', key: undefined }],
  ['a KMS key', { kind: 'Kms', keyId: 'arn:aws:kms:x:1:key/2' }, { algorithm: 'aws:kms', key: 'arn:aws:kms:x:1:key/2' }]
]

for (const [name, encryption, expected] of CASES) {
  test(`every request that makes an object asks for its encryption, and no other: ${name}`, async context => {
    const s3 = await fakeS3(context)
    const store = await storeAt(context, s3.endpoint, { encryption })
    await store.put('small', [Buffer.from('rows')])
    await store.putIfAbsent('commit', [Buffer.from('{}')])
    await store.put('large', [LARGE])
    await store.copy('small', 'copied')
    await store.get('small')
    await store.delete('small')
    const asked = s3.requests.map(({ what, headers }) => {
      const algorithm = headers['x-amz-server-side-encryption']
      return [what, { algorithm, key: headers['x-amz-server-side-encryption-aws-kms-key-id'] }]
    })
    assert.deepEqual(asked, [
      ['PUT', expected],
      ['PUT', expected],
      ['POST ?uploads', expected],
      ['PUT ?partNumber&uploadId', NONE],
      ['PUT ?partNumber&uploadId', NONE],
      ['POST ?uploadId', NONE],
      ['PUT', expected],
      ['GET', NONE],
      ['DELETE', NONE]
    ])
  })
}

const REFUSED = [
  { status: 400, code: 'KMS.DisabledException', message: 'arn:aws:kms:x:1:key/2 is disabled.' },
  { status: 400, code: 'KMS.NotFoundException', message: 'Invalid keyId' },
  { status: 400, code: 'KMS.KMSInvalidStateException', message: 'key/2 is pending deletion.' },
  { status: 404, code: 'kms:KeyNotFound', message: 'key with given key ID does not exist' },
  {
    status: 403,
    code: 'AccessDenied',
    message: 'User: x is not authorized to perform: kms:GenerateDataKey on resource: y because no policy allows it'
  },
  {
    status: 403,
    code: 'AccessDenied',
    message: 'The ciphertext refers to a customer master key that does not exist, or you are not allowed to access.'
  },
  { status: 501, code: 'NotImplemented', message: 'Server side encryption specified but KMS is not configured' }
]

for (const refusal of REFUSED) {
  test(`a key that cannot be used stops with the field to correct: ${refusal.message}`, async context => {
    const s3 = await fakeS3(context)
    s3.refuse = () => refusal
    const store = await storeAt(context, s3.endpoint, { encryption: { kind: 'Kms', keyId: 'k' } })
    await assert.rejects(store.putIfAbsent('commit', [Buffer.from('{}')]), (error: unknown) => {
      assert.ok(error instanceof FatalError, String(error))
      assert.equal(error.reason, 'S3EncryptionRefused')
      assert.match(error.message, /spec\.sink\.s3\.s3\.encryption/)
      assert.ok(error.message.includes(refusal.message))
      return true
    })
  })
}

test('a KMS that is busy passes', async context => {
  const s3 = await fakeS3(context)
  s3.refuse = () => ({ status: 400, code: 'KMS.ThrottlingException', message: 'Rate exceeded' })
  const store = await storeAt(context, s3.endpoint, { encryption: { kind: 'Kms', keyId: 'k' } })
  await assert.rejects(store.putIfAbsent('commit', [Buffer.from('{}')]), RetryableError)
})

test('access that is denied otherwise names the actions, those on keys too', async context => {
  const s3 = await fakeS3(context)
  s3.refuse = () => ({ status: 403, code: 'AccessDenied', message: 'Access Denied.' })
  const store = await storeAt(context, s3.endpoint)
  await assert.rejects(store.put('a', [Buffer.from('rows')]), (error: unknown) => {
    assert.ok(error instanceof FatalError, String(error))
    assert.equal(error.reason, 'S3AccessDenied')
    assert.match(error.message, /: Access Denied\. Allow the identity/)
    assert.match(error.message, /s3:PutObject.*spec\.sink\.s3\.location.*kms:GenerateDataKey/)
    return true
  })
})
