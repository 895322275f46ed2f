import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf, s3Access, s3Options } from '../../../../consumer/sinks/iceberg/access.ts'
import { FatalError } from '../../../../lib/errors.ts'

test('places of files are told apart whatever their scheme is called', () => {
  const cases: [uri: string, root: string, path: string][] = [
    ['s3://bucket/a/b%20c.parquet', 's3://bucket', 'a/b%20c.parquet'],
    ['s3a://bucket/a', 's3://bucket', 'a'],
    ['s3n://bucket/a', 's3://bucket', 'a'],
    ['file:///data/a', 'file:///', 'data/a'],
    ['file:/data/a', 'file:///', 'data/a'],
    ['/data/a', 'file:///', 'data/a']
  ]
  for (const [uri, root, path] of cases) assert.deepEqual(placeOf(uri), { root, path })
  for (const uri of ['gs://bucket/a', 'abfss://x@y/a', 'file://host/a', 's3://bucket', 'a/b', '//a'])
    assert.throws(() => placeOf(uri), FatalError)
})

const config = {
  's3.endpoint': 'http://general',
  'client.region': 'general-1',
  's3.access-key-id': 'general',
  's3.secret-access-key': 'x',
  's3.path-style-access': 'TRUE'
}

test('credentials for the longest prefix go before those for all, which fill what they lack', () => {
  const of = (id: string) => ({
    's3.access-key-id': id,
    's3.secret-access-key': id,
    's3.session-token-expires-at-ms': '99'
  })
  const loaded = {
    config,
    storageCredentials: [
      { prefix: 's3://b/', config: of('bucket') },
      { prefix: 's3://b/lake/', config: of('lake') },
      { prefix: 's3://other/', config: of('other') }
    ]
  }
  const access = s3Access(loaded, 's3a://b/lake/t')
  assert.deepEqual(access.credentials, {
    accessKeyId: 'lake',
    secretAccessKey: 'lake',
    sessionToken: undefined,
    expiresAtMs: 99
  })
  assert.equal(access.endpoint, 'http://general')
  assert.equal(s3Access(loaded, 's3://b/x').credentials?.accessKeyId, 'bucket')
  assert.equal(s3Access(loaded, 's3://c/x').credentials?.accessKeyId, 'general')
})

test('half a pair of keys is none', () => {
  const access = s3Access({ config: { 's3.access-key-id': 'k' }, storageCredentials: [] }, 's3://b/x')
  assert.equal(access.credentials, undefined)
})

test('what the pipeline says goes before what the catalog says', () => {
  const told = s3Access({ config, storageCredentials: [] }, 's3://b/x')
  assert.deepEqual(s3Options(undefined, told), {
    endpoint: 'http://general',
    region: 'general-1',
    forcePathStyle: true,
    credentialsSecret: undefined,
    caSecret: undefined
  })
  const said = {
    endpoint: 'http://own',
    region: 'own-1',
    forcePathStyle: false,
    credentialsSecret: 'keys',
    caSecret: 'ca'
  }
  assert.deepEqual(s3Options(said, told), { ...said, forcePathStyle: true })
  assert.equal(s3Options({ ...said, endpoint: undefined, region: 'us-east-1' }, told).region, 'general-1')
})
