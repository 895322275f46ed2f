import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../../crds/settle.ts'
import { claimsOf } from '../../../operator/claims/claims.ts'
import { aPipeline } from '../given.ts'

interface Given {
  readonly namespace?: string
  readonly servers?: readonly string[]
  readonly group?: string
  readonly table?: string
  readonly sink?: object
  readonly deadLetters?: object
}

function claims({
  namespace = 'lake',
  servers = ['kafka:9092'],
  group = 'g',
  table = 'a.b',
  sink,
  deadLetters
}: Given) {
  const pipeline = aPipeline({
    source: { bootstrapServers: servers, groupId: group },
    topics: [{ name: 'orders', table, format: 'Json' }],
    deadLetters: deadLetters ?? { policy: 'Stop' },
    ...(sink === undefined ? {} : { sink })
  })
  return claimsOf(settle({ ...pipeline, metadata: { ...pipeline.metadata, namespace } }))
}

function shared(what: 'group' | 'table', one: Given, other: Given): boolean {
  const ids = (given: Given) =>
    claims(given)
      .filter(claim => claim.what === what)
      .map(({ id }) => id)
  const others = new Set(ids(other))
  return ids(one).some(id => others.has(id))
}

for (const [what, one, other, isSame] of [
  ['the same server', {}, {}, true],
  ['one server of several', { servers: ['a.x:1', 'b.x:1'] }, { servers: ['c.x:1', 'B.x:1'] }, true],
  ['a service by its short and long name', {}, { servers: ['kafka.lake.svc.cluster.local:9092'] }, true],
  ['a service by names with and without svc', { servers: ['k.lake:1'] }, { servers: ['k.lake.svc:1'] }, true],
  ['a short name in another namespace', {}, { namespace: 'other' }, false],
  ['another port', {}, { servers: ['kafka:9093'] }, false],
  ['another group', {}, { group: 'h' }, false],
  ['a group in other case', { group: 'G' }, { group: 'g' }, false]
] as const) {
  test(`${what} is ${isSame ? 'one group' : 'two groups'}`, () => {
    assert.equal(shared('group', one, other), isSame)
    assert.equal(shared('group', other, one), isSame)
  })
}

const delta = (location: string, s3?: object) => ({ delta: { location, ...(s3 === undefined ? {} : { s3 }) } })
const objects = (location: string) => ({ s3: { location, format: 'Ndjson', layout: 'Partitioned' } })
const iceberg = (uri: string, warehouse?: string) => ({
  iceberg: { catalog: { uri, ...(warehouse === undefined ? {} : { warehouse }) } }
})
const snowflake = (change: object = {}) => ({
  snowflake: {
    account: 'acme-one',
    database: 'RAW',
    authentication: 'KeyPair',
    credentialsSecretRef: { name: 'user' },
    ...change
  }
})
const minio = { endpoint: 'http://minio:9000' }

for (const [what, one, other, isSame] of [
  [
    'a folder in the location or in the table',
    { sink: delta('s3://bkt/a'), table: 'c.d' },
    { sink: delta('s3://bkt'), table: 'a.c.d' },
    true
  ],
  ['a folder in other case', { sink: delta('s3://bkt/Lake') }, { sink: delta('s3://bkt/lake') }, false],
  ['another bucket', { sink: delta('s3://bkt/lake') }, { sink: delta('s3://other/lake') }, false],
  ['a bucket of that name at another store', { sink: delta('s3://bkt') }, { sink: delta('s3://bkt', minio) }, false],
  [
    'a store by its short and long name',
    { sink: delta('s3://bkt', minio) },
    { sink: delta('s3://bkt', { endpoint: 'http://MinIO.lake.svc:9000' }) },
    true
  ],
  [
    'a bucket of Amazon by two endpoints',
    { sink: delta('s3://bkt') },
    { sink: delta('s3://bkt', { endpoint: 'https://s3.eu-west-1.amazonaws.com' }) },
    true
  ],
  [
    'a Delta table and raw objects in one folder',
    { sink: delta('s3://bkt/lake') },
    { sink: objects('s3://bkt/lake') },
    true
  ],
  [
    'a table that is another’s dead-letter table',
    { sink: delta('s3://bkt'), deadLetters: { policy: 'Table' } },
    { sink: delta('s3://bkt'), table: 'a.dlq_b' },
    true
  ],
  [
    'what would be a dead-letter table under another policy',
    { sink: delta('s3://bkt'), deadLetters: { policy: 'Topic' } },
    { sink: delta('s3://bkt'), table: 'a.dlq_b' },
    false
  ],
  [
    'a catalog by its short and long name',
    { sink: iceberg('http://catalog:8181') },
    { sink: iceberg('http://catalog.lake:8181') },
    true
  ],
  [
    'a catalog with its usual port',
    { sink: iceberg('https://c.example/rest') },
    { sink: iceberg('https://C.example:443/rest') },
    true
  ],
  [
    'another path of a catalog',
    { sink: iceberg('https://c.example/a') },
    { sink: iceberg('https://c.example/b') },
    false
  ],
  ['another warehouse', { sink: iceberg('http://c.example', 'x') }, { sink: iceberg('http://c.example', 'y') }, false],
  [
    'an Iceberg table in other case',
    { sink: iceberg('http://c.example') },
    { sink: iceberg('http://c.example'), table: 'A.b' },
    false
  ],
  [
    'a Snowflake table in other case',
    { sink: snowflake() },
    { sink: snowflake({ database: 'raw', account: 'ACME-ONE' }), table: 'A.B' },
    true
  ],
  [
    'a Snowflake table with and without its schema',
    { sink: snowflake({ schema: 'a' }), table: 'b' },
    { sink: snowflake(), table: 'A.b' },
    true
  ],
  ['another database', { sink: snowflake() }, { sink: snowflake({ database: 'other' }) }, false],
  ['tables of two kinds of sinks', { sink: snowflake() }, { sink: iceberg('http://c.example') }, false]
] as const) {
  test(`${what} is ${isSame ? 'one table' : 'two tables'}`, () => {
    assert.equal(shared('table', one, other), isSame)
    assert.equal(shared('table', other, one), isSame)
  })
}

test('a claim is called as the pipeline calls it', () => {
  const names = claims({ deadLetters: { policy: 'Table' } }).map(({ what, name }) => `${what} ${name}`)
  assert.deepEqual(names, ['group g', 'table a.b', 'table a.dlq_b'])
})
