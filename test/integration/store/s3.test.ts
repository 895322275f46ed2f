import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, test, type TestContext } from 'node:test'
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3Options } from '../../../crds/s3-options.ts'
import type { ObjectStore } from '../../../consumer/store/object-store.ts'
import { openObjectStore } from '../../../consumer/store/open.ts'
import { FatalError } from '../../../lib/errors.ts'
import { resolveLocalhost } from '../../consumer/store/localhost.ts'
import { need } from '../../servers/need.ts'
import { startS3, type S3Server } from '../../servers/s3.ts'

const BUCKET = 'bronze-store'
const KEY = 'bronze-key'
const MIB = 2 ** 20

let own: Promise<S3Server> | undefined

/** A server that has a key to encrypt with, and knows buckets by host too. */
async function server(): Promise<S3Server> {
  own ??= startS3({
    MINIO_KMS_SECRET_KEY: `${KEY}:${randomBytes(32).toString('base64')}`,
    MINIO_DOMAIN: 'localhost'
  })
  const s3 = await own
  await s3.createBucket(BUCKET)
  return s3
}

after(async () => await (await own)?.stop())

async function storeWith(context: TestContext, options: Partial<S3Options>) {
  const { endpoint, region, accessKeyId, secretAccessKey } = await server()
  const secret: Readonly<Record<string, string>> = { accessKeyId, secretAccessKey }
  const all = { endpoint, region, forcePathStyle: true, credentialsSecret: 's3', caSecret: undefined, ...options }
  const prefix = randomUUID()
  const readSecret = async (_name: string, key: string) => secret[key]
  const store = await openObjectStore(`s3://${BUCKET}/${prefix}`, all, readSecret, 'spec.sink.s3')
  context.after(async () => await store.close())
  return { store, prefix }
}

/** How the server says that an object is encrypted. */
async function encryptionOf(context: TestContext, key: string) {
  const { endpoint, region, accessKeyId, secretAccessKey } = await server()
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
  context.after(() => client.destroy())
  const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))
  return [head.ServerSideEncryption, head.SSEKMSKeyId]
}

function* pieces(mebibytes: number): Generator<Uint8Array> {
  for (let index = 0; index < mebibytes; index++) yield Buffer.alloc(MIB, index)
}

const digest = (chunks: Iterable<Uint8Array>): string => {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

for (const [name, encryption, expected] of [
  ['keys of the service', { kind: 'S3' }, ['AES256', undefined]],
  ['the default key', { kind: 'Kms', keyId: undefined }, ['aws:kms', `arn:aws:kms:${KEY}`]],
  ['a named key', { kind: 'Kms', keyId: KEY }, ['aws:kms', `arn:aws:kms:${KEY}`]]
] as const) {
  test(
    `a real server encrypts with ${name} what is put, put once, put in parts and copied`,
    need('s3'),
    async context => {
      const { store, prefix } = await storeWith(context, { encryption })
      await store.put('put', [Buffer.from('rows')])
      await store.putIfAbsent('once', [Buffer.from('rows')])
      await store.put('parts', pieces(17))
      assert.equal(await store.copy('parts', 'copied'), true)
      for (const path of ['put', 'once', 'parts', 'copied'])
        assert.deepEqual(await encryptionOf(context, `${prefix}/${path}`), expected, path)
      assert.equal((await store.get('once'))?.toString(), 'rows')
      assert.equal(digest([(await store.get('copied')) ?? Buffer.alloc(0)]), digest(pieces(17)))
    }
  )
}

test('a key that the real server does not have stops with the field to correct', need('s3'), async context => {
  const { store } = await storeWith(context, { encryption: { kind: 'Kms', keyId: 'another' } })
  await assert.rejects(
    store.put('a', [Buffer.from('rows')]),
    (error: unknown) => error instanceof FatalError && /spec\.sink\.s3\.s3\.encryption/.test(error.message)
  )
})

test('an object of 70 MiB goes up in parts, is read in ranges, copied, and replaced', need('s3'), async context => {
  const { store } = await storeWith(context, {})
  await store.put('large', pieces(70))
  assert.equal(await store.size('large'), 70 * MIB)
  assert.equal(await store.copy('large', 'copied'), true)
  assert.deepEqual(await store.getRange('copied', 64 * MIB - 1, 64 * MIB + 1), Buffer.from([63, 64]))
  assert.equal(digest([(await store.get('copied')) ?? Buffer.alloc(0)]), digest(pieces(70)))
  await store.put('large', [Buffer.from('small')])
  assert.equal((await store.get('large'))?.toString(), 'small')
})

/** All that a sink asks of a store. */
async function isWhole(store: ObjectStore): Promise<void> {
  assert.equal(await store.putIfAbsent('a b/ü+=1', [Buffer.from('first')]), 'created')
  assert.equal(await store.putIfAbsent('a b/ü+=1', [Buffer.from('second')]), 'exists')
  assert.equal(await store.copy('a b/ü+=1', 'topic=x/dt=1'), true)
  await store.put('parts', pieces(9))
  const paths = await Array.fromAsync(store.list(''), ({ path }) => path)
  assert.deepEqual(
    paths.filter(path => !path.startsWith('_bronze')),
    ['a b/ü+=1', 'parts', 'topic=x/dt=1']
  )
  await store.delete('a b/ü+=1')
  assert.equal(await store.get('a b/ü+=1'), undefined)
  assert.equal((await store.get('topic=x/dt=1'))?.toString(), 'first')
}

test('a bucket that is named by the host is used as one that is named by the path', need('s3'), async context => {
  resolveLocalhost(context)
  const { endpoint } = await server()
  const { port } = new URL(endpoint)
  const { store } = await storeWith(context, { endpoint: `http://localhost:${port}`, forcePathStyle: false })
  await isWhole(store)
})
