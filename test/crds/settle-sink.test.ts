import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delta, iceberg, settledOf, snowflake } from './settled-of.ts'

test('a store of S3 gets a region, a folder nothing', () => {
  assert.deepEqual(settledOf({}).sink, {
    kind: 'delta',
    delta: {
      location: 's3://lake/bronze',
      partitionBy: 'Date',
      s3: {
        endpoint: undefined,
        region: 'us-east-1',
        forcePathStyle: false,
        credentialsSecret: undefined,
        caSecret: undefined
      }
    }
  })
  assert.deepEqual(settledOf({ sink: { delta: { location: 'file:///data' } } }).sink, {
    kind: 'delta',
    delta: { location: 'file:///data', partitionBy: 'Date', s3: undefined }
  })
})

test('an Iceberg sink is partitioned by the day of the commit, in version 2, where the catalog wants it', () => {
  assert.deepEqual(settledOf({ sink: iceberg({}) }).sink, {
    kind: 'iceberg',
    iceberg: {
      catalog: {
        uri: 'http://catalog:8181',
        warehouse: undefined,
        credentialsSecret: undefined,
        tokenEndpoint: undefined,
        scope: undefined,
        caSecret: undefined
      },
      location: undefined,
      partitionBy: [{ source: 'IngestedAt', transform: 'Day', width: undefined }],
      formatVersion: 2,
      s3: undefined
    }
  })
  const { sink } = settledOf({
    sink: iceberg({
      partitionBy: [{ source: 'Key', transform: 'Bucket', width: 8 }],
      formatVersion: 3,
      s3: { endpoint: 'http://minio:9000' }
    })
  })
  assert.ok(sink.kind === 'iceberg')
  assert.deepEqual(sink.iceberg.partitionBy, [{ source: 'Key', transform: 'Bucket', width: 8 }])
  assert.equal(sink.iceberg.formatVersion, 3)
  assert.deepEqual([sink.iceberg.s3?.endpoint, sink.iceberg.s3?.region], ['http://minio:9000', 'us-east-1'])
})

test('a Snowflake sink writes transactions with a key pair into PUBLIC, whenever a batch is due', () => {
  assert.deepEqual(settledOf({ sink: snowflake({}) }).sink, {
    kind: 'snowflake',
    snowflake: {
      account: 'acme-analytics',
      url: undefined,
      database: 'COMMERCE',
      schema: 'PUBLIC',
      warehouse: undefined,
      role: undefined,
      authentication: 'KeyPair',
      tokenEndpoint: undefined,
      scope: undefined,
      credentialsSecret: 'key',
      workloadIdentityProvider: undefined,
      proxy: undefined,
      mode: 'Transaction',
      clusterBy: [],
      flushWhenWarehouseIdle: true,
      maxIdleDelayMs: 900_000
    }
  })
  const { sink } = settledOf({
    sink: snowflake({
      authentication: 'WorkloadIdentity',
      workloadIdentity: { provider: 'Oidc' },
      proxy: { host: 'proxy', port: 3128, credentialsSecretRef: { name: 'proxy-user' } },
      mode: 'Merge',
      clusterBy: ['_KAFKA_PARTITION'],
      flushWhenWarehouseIdle: false,
      maxIdleDelay: '1h30m'
    })
  })
  assert.ok(sink.kind === 'snowflake')
  const { workloadIdentityProvider, proxy, mode, clusterBy, flushWhenWarehouseIdle, maxIdleDelayMs } = sink.snowflake
  assert.equal(workloadIdentityProvider, 'Oidc')
  assert.deepEqual(proxy, { host: 'proxy', port: 3128, credentialsSecret: 'proxy-user' })
  assert.deepEqual([mode, clusterBy, flushWhenWarehouseIdle], ['Merge', ['_KAFKA_PARTITION'], false])
  assert.equal(maxIdleDelayMs, 5_400_000)
})

test('raw objects are Parquet by topic and day of the commit, or by topic alone for readers that glob', () => {
  assert.deepEqual(settledOf({ sink: { s3: { location: 'file:///data' } } }).sink, {
    kind: 's3',
    s3: {
      location: 'file:///data',
      format: 'Parquet',
      compression: 'Zstd',
      layout: 'Partitioned',
      path: 'topic={topic}/dt={yyyy}-{MM}-{dd}',
      pathTime: 'IngestedAt',
      s3: undefined
    }
  })
  const objects = (more: object) => {
    const { sink } = settledOf({ sink: { s3: { location: 's3://landing', ...more } } })
    assert.ok(sink.kind === 's3')
    return sink.s3
  }
  assert.equal(objects({ layout: 'Glob' }).path, 'topic={topic}')
  assert.equal(objects({ path: '' }).path, '')
  assert.equal(objects({ pathTime: 'Timestamp' }).pathTime, 'Timestamp')
  assert.equal(objects({ format: 'Ndjson', compression: 'Gzip' }).compression, 'Gzip')
  assert.equal(objects({}).s3?.region, 'us-east-1')
})

test('encryption is asked for where the pipeline names it, with every kind of store', () => {
  const encrypted = (encryption: object) => ({ s3: { encryption } })
  const of = (sink: object) => {
    const { sink: settled } = settledOf({ sink })
    if (settled.kind === 'delta') return settled.delta.s3?.encryption
    if (settled.kind === 'iceberg') return settled.iceberg.s3?.encryption
    return settled.kind === 's3' ? settled.s3.s3?.encryption : undefined
  }
  assert.deepEqual(of(delta(encrypted({ type: 'S3' }))), { kind: 'S3' })
  assert.deepEqual(of(iceberg(encrypted({ type: 'Kms' }))), { kind: 'Kms', keyId: undefined })
  const key = 'arn:aws:kms:eu-central-1:111122223333:key/1234'
  assert.deepEqual(of({ s3: { location: 's3://lake', ...encrypted({ type: 'Kms', keyId: key }) } }), {
    kind: 'Kms',
    keyId: key
  })
  assert.equal(of(delta({})), undefined)
})

test('the value of JSON is a VARIANT in Snowflake unless it is retyped, other values stay bytes', () => {
  const topics = [
    { name: 'json', table: 'json', format: 'Json' },
    { name: 'raw', table: 'raw' }
  ]
  const types = (spec: object) =>
    settledOf({ topics, ...spec }).topics.map(
      ({ metadataColumns }) => metadataColumns.find(({ source }) => source === 'Value')?.type
    )
  assert.deepEqual(types({ sink: snowflake({}) }), ['Variant', 'Binary'])
  assert.deepEqual(types({ sink: snowflake({}), metadataColumns: [{ source: 'Value', name: 'raw' }] }), [
    'Variant',
    'Binary'
  ])
  assert.deepEqual(types({ sink: snowflake({}), metadataColumns: [{ source: 'Value', type: 'String' }] }), [
    'String',
    'String'
  ])
  assert.deepEqual(types({ sink: { s3: { location: 's3://lake', format: 'Ndjson' } } }), ['String', 'Binary'])
})

test('what a Snowflake table has not of the coordinates of a record is staged all the same, after the columns of the table', () => {
  const columns = (spec: object) =>
    settledOf(spec).topics[0]?.metadataColumns.map(
      ({ name, isStagedOnly }) => `${name}${isStagedOnly ? ' staged' : ''}`
    )
  const metadataColumns = [
    { source: 'Offset', omit: true },
    { source: 'Timestamp', omit: true },
    ...['Topic', 'Key', 'Headers', 'IngestionDate', 'ConsumerId', 'IngestedAt'].map(source => ({ source, omit: true }))
  ]
  assert.deepEqual(columns({ sink: snowflake({}), metadataColumns }), [
    '_kafka_partition',
    '_ingestion_id',
    'value',
    '_bronze_topic staged',
    '_bronze_offset staged',
    '_bronze_timestamp staged'
  ])
  assert.deepEqual(columns({ sink: snowflake({}), metadataColumns: metadataColumns.slice(1) })?.slice(-1), [
    '_bronze_timestamp staged'
  ])
  assert.deepEqual(columns({ sink: { s3: { location: 's3://lake' } }, metadataColumns }), [
    '_kafka_partition',
    '_ingestion_id',
    'value'
  ])
  assert.ok(!JSON.stringify(columns({ sink: snowflake({}) })).includes('staged'))
})

test('consumers with the Snowflake client get more memory, unless the pipeline says how much', () => {
  const memory = (spec: object) => settledOf({ sink: snowflake({}), ...spec }).consumer.resources
  assert.deepEqual(memory({}), { requests: { cpu: '100m', memory: '384Mi' }, limits: { memory: '384Mi' } })
  assert.equal(memory({ consumer: { resources: { limits: { memory: '1Gi' } } } }).limits?.['memory'], '1Gi')
  assert.equal(settledOf({ sink: { s3: { location: 's3://lake' } } }).consumer.resources.limits?.['memory'], '256Mi')
})
