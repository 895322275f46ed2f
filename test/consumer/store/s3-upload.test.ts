import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { S3Client } from '@aws-sdk/client-s3'
import { Digests } from '../../../consumer/store/s3-digests.ts'
import { uploadParts } from '../../../consumer/store/s3-upload.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { fakeS3, storeAt } from './fake-s3.ts'

const MIB = 2 ** 20

/** Pieces of a size that is no part's. */
function* pieces(mebibytes: number): Generator<Uint8Array> {
  for (let left = mebibytes * MIB; left > 0; left -= 3_000_001) yield Buffer.alloc(Math.min(left, 3_000_001), 7)
}

test('parts of an upload are alike but for the last', async context => {
  const s3 = await fakeS3(context)
  const store = await storeAt(context, s3.endpoint)
  await store.put('large', pieces(20))
  const parts = s3.requests.filter(({ what }) => what === 'PUT ?partNumber&uploadId').map(({ bytes }) => bytes / MIB)
  assert.deepEqual(parts, [8, 8, 4])
})

test('a bucket with Object Lock gets digests, as it asks for them; others do not', async context => {
  const s3 = await fakeS3(context)
  s3.refuse = ({ what, path, headers, bytes }) =>
    path.startsWith('/lake/raw/') && what.startsWith('PUT') && bytes > 0 && headers['content-md5'] === undefined
      ? {
          status: 400,
          code: 'InvalidRequest',
          message:
            'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters'
        }
      : undefined
  const store = await storeAt(context, s3.endpoint, {}, true)
  assert.equal(await store.putIfAbsent('commit', [Buffer.from('ab'), Buffer.from('c')]), 'created')
  assert.equal(await store.putIfAbsent('commit', [Buffer.from('ab'), Buffer.from('c')]), 'exists')
  await store.put('small', [Buffer.from('abc')])
  await store.put('large', pieces(20))
  const bodies = s3.requests.filter(({ what, bytes }) => what.startsWith('PUT') && bytes > 0)
  const digests = bodies.map(({ headers }) => headers['content-md5'])
  assert.equal(digests[0], undefined)
  assert.ok(digests.slice(1).every(digest => typeof digest === 'string'))
  assert.equal(
    digests.at(-1),
    createHash('md5')
      .update(Buffer.alloc(4 * MIB, 7))
      .digest('base64')
  )
  assert.ok(digests.includes(createHash('md5').update('abc').digest('base64')))
  s3.refuse = () => undefined
  const free = await storeAt(context, s3.endpoint)
  s3.requests.length = 0
  await free.put('small', [Buffer.from('abc')])
  assert.deepEqual(
    s3.requests.map(({ headers }) => headers['content-md5']),
    [undefined]
  )
})

const FAILURES = [
  { status: 403, code: 'AccessDenied', expected: FatalError },
  { status: 400, code: 'EntityTooSmall', expected: RetryableError }
]

for (const { status, code, expected } of FAILURES) {
  for (const step of ['PUT ?partNumber&uploadId', 'POST ?uploadId']) {
    test(`an upload of which ${step} fails with ${code} is given up, and its parts with it`, async context => {
      const s3 = await fakeS3(context)
      s3.refuse = ({ what }) => (what === step ? { status, code } : undefined)
      const store = await storeAt(context, s3.endpoint)
      await assert.rejects(store.put('large', pieces(20)), expected)
      assert.equal(s3.requests.at(-1)?.what, 'DELETE ?uploadId')
      assert.equal(await store.get('large'), undefined)
    })
  }
}

test('an upload whose bytes fail on the way is given up', async context => {
  const s3 = await fakeS3(context)
  const store = await storeAt(context, s3.endpoint)
  const torn = function* () {
    yield* pieces(20)
    throw new RangeError('torn')
  }
  await assert.rejects(store.put('large', torn()), RangeError)
  assert.deepEqual(
    s3.requests.map(({ what }) => what),
    ['POST ?uploads', 'PUT ?partNumber&uploadId', 'PUT ?partNumber&uploadId', 'DELETE ?uploadId']
  )
})

test('an object of more parts than S3 takes is refused, and what was sent given up', async () => {
  const sent: string[] = []
  const send = async (command: object) => {
    sent.push(command.constructor.name)
    return { UploadId: 'u1', ETag: '"1"' }
  }
  const parts = (async function* () {
    for (;;) yield Buffer.alloc(1)
  })()
  const uploading = uploadParts(
    { send } as unknown as S3Client,
    { Bucket: 'lake', Key: 'k' },
    {},
    new Digests(),
    [],
    parts
  )
  await assert.rejects(uploading, (error: unknown) => error instanceof FatalError && error.reason === 'ObjectTooLarge')
  assert.equal(sent.filter(name => name === 'UploadPartCommand').length, 10_000)
  assert.equal(sent.at(-1), 'AbortMultipartUploadCommand')
})
