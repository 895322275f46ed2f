import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadLetterTable, deadLetterTopic, settle } from '../../crds/settle.ts'
import { parsePipeline } from '../../crds/validate.ts'
import { corpus } from './corpus.ts'
import { delta, manifest, settledOf } from './settled-of.ts'

const MIB = 2 ** 20

test('a smallest pipeline gets its group, batch, scaling and resources', () => {
  const settled = settledOf({})
  assert.equal(settled.source.groupId, 'bronze.lakehouse.taxi')
  assert.equal(settled.source.security.protocol, 'PLAINTEXT')
  assert.deepEqual(settled.topics[0]?.match, { topic: 'trips' })
  assert.deepEqual(settled.topics[0].startFrom, { position: 'Earliest' })
  assert.deepEqual(settled.topics[0].batch, { maxRecords: undefined, maxBytes: 64 * MIB, triggerIntervalMs: 30_000 })
  assert.equal(settled.topics[0].maxRecordBytes, 16 * MIB)
  assert.deepEqual(settled.scaling, { mode: 'Partitions', partitionsPerReplica: 1, maxReplicas: 16 })
  assert.deepEqual(settled.deadLetters, { policy: 'Table', table: 'dlq_{table}', topic: '{topic}.dlq' })
  assert.deepEqual(settled.consumer.resources, {
    requests: { cpu: '100m', memory: '256Mi' },
    limits: { memory: '256Mi' }
  })
})

test('without a namespace a pipeline is in default, as kubectl has it', () => {
  const result = parsePipeline({ ...manifest({}), metadata: { name: 'taxi' } })
  assert.ok(result.ok)
  assert.equal(settle(result.pipeline).source.groupId, 'bronze.default.taxi')
})

test('a topic overrides single fields of the batch, and where to start', () => {
  const { topics } = settledOf({
    source: { bootstrapServers: ['kafka:9092'], startFrom: { position: 'Latest' } },
    batch: { triggerInterval: '1m', maxRecords: 7 },
    topics: [
      { name: 'a', table: 'a', batch: { maxBytes: '1Mi' }, startFrom: { position: 'Group', groupId: 'old' } },
      {
        name: 'b',
        pattern: 'b.*',
        table: 'b',
        startFrom: { position: 'Timestamp', timestamp: '2026-01-01T01:00:00+01:00' }
      },
      { name: 'c', table: 'c', startFrom: { position: 'Offsets', offsets: [{ partition: 3, offset: 9 }] } },
      { name: 'd', table: 'd' }
    ]
  })
  assert.deepEqual(topics[0]?.batch, { triggerIntervalMs: 60_000, maxRecords: 7, maxBytes: MIB })
  assert.deepEqual(
    topics.map(topic => topic.startFrom),
    [
      { position: 'Group', groupId: 'old' },
      { position: 'Timestamp', timestampMs: Date.UTC(2026, 0, 1) },
      { position: 'Offsets', offsets: new Map([[3, 9]]) },
      { position: 'Latest' }
    ]
  )
  assert.deepEqual(topics[1]?.match, { pattern: 'b.*' })
})

test('metadata columns come in their order, renamed, retyped and omitted', () => {
  const { topics } = settledOf({
    topics: [
      { name: 'raw', table: 'raw' },
      { name: 'json', table: 'json', format: 'Json' }
    ],
    metadataColumns: [
      { source: 'Offset', name: 'KAFKA_OFFSET' },
      { source: 'Key', type: 'String' },
      ...['Headers', 'IngestionId', 'ConsumerId', 'Topic', 'Partition'].map(source => ({ source, omit: true }))
    ]
  })
  const columns = topics.map(topic => topic.metadataColumns.map(({ name, type }) => `${name} ${type}`))
  const common = [
    'KAFKA_OFFSET Long',
    '_kafka_timestamp Timestamp',
    '_kafka_key String',
    '_ingested_at Timestamp',
    '_ingestion_date Date'
  ]
  assert.deepEqual(columns, [
    [...common, 'value Binary'],
    [...common, 'value String']
  ])
})

test('the hour of ingestion is a column when it partitions the table or is named', () => {
  const hours = (spec: object) =>
    settledOf(spec)
      .topics[0]?.metadataColumns.filter(column => column.source === 'IngestionHour')
      .map(column => column.name)
  assert.deepEqual(hours({}), [])
  assert.deepEqual(hours({ sink: delta({ partitionBy: 'Hour' }) }), ['_ingestion_hour'])
  assert.deepEqual(hours({ metadataColumns: [{ source: 'IngestionHour', name: 'hour' }] }), ['hour'])
})

test('dead letters stay in the namespace of their table', () => {
  const settled = settledOf({ deadLetters: { table: 'bad_{table}_x' } })
  assert.equal(deadLetterTable(settled, 'trips'), 'bad_trips_x')
  assert.equal(deadLetterTable(settled, 'lake.bronze.trips'), 'lake.bronze.bad_trips_x')
  assert.equal(deadLetterTopic(settled, 'trips.$&.v1'), 'trips.$&.v1.dlq')
})

test('each way of making columns settles to its mode and carries the metadata columns that it has', () => {
  const { topics } = settledOf({
    source: { bootstrapServers: ['kafka:9092'], schemaRegistry: { url: 'http://registry:8081' } },
    topics: [
      { name: 'raw', table: 'raw' },
      { name: 'payload', table: 'payload', format: 'Json' },
      { name: 'inferred', table: 'inferred', format: 'Json', schema: { mode: 'Inferred', onIncompatible: 'Stop' } },
      {
        name: 'declared',
        table: 'declared',
        format: 'Json',
        schema: { mode: 'Declared', onMismatch: 'SetNull' },
        columns: [{ name: 'price', value: '/price', type: 'Decimal', precision: 12 }]
      },
      { name: 'avro', table: 'avro', format: 'Avro', schema: { onIncompatible: 'NewColumn' } },
      { name: 'protobuf', table: 'protobuf', format: 'Protobuf' },
      { name: 'json-schema', table: 'json_schema', format: 'JsonSchema' }
    ]
  })
  const extra = (topic: (typeof topics)[number]) =>
    topic.metadataColumns
      .filter(({ source }) => source === 'Value' || source === 'SchemaVersion')
      .map(({ name }) => name)
  assert.deepEqual(
    topics.map(topic => [...Object.values(topic.schema), ...extra(topic)]),
    [
      ['Payload', 'DeadLetter', 'DeadLetter', 'value'],
      ['Payload', 'DeadLetter', 'DeadLetter', 'value'],
      ['Inferred', 'Stop', 'DeadLetter'],
      ['Declared', 'DeadLetter', 'SetNull'],
      ['Registered', 'NewColumn', 'DeadLetter', '_schema_version'],
      ['Registered', 'DeadLetter', 'DeadLetter', '_schema_version'],
      ['Registered', 'DeadLetter', 'DeadLetter', '_schema_version']
    ]
  )
  const [price] = topics[3]!.columns
  assert.deepEqual([price?.type, price?.precision, price?.scale], ['Decimal', 12, 0])
})

test('a metadata column that is named is there in every mode, the version of a schema with Avro only', () => {
  const { topics } = settledOf({
    source: { bootstrapServers: ['kafka:9092'], schemaRegistry: { url: 'http://registry:8081' } },
    topics: [
      { name: 'inferred', table: 'inferred', format: 'Json', schema: { mode: 'Inferred' } },
      { name: 'avro', table: 'avro', format: 'Avro' }
    ],
    metadataColumns: [
      { source: 'Value', name: 'raw' },
      { source: 'SchemaVersion', name: 'version' }
    ]
  })
  const last = topics.map(({ metadataColumns }) => metadataColumns.slice(-2).map(({ name, type }) => `${name} ${type}`))
  assert.deepEqual(last, [
    ['_consumer_id String', 'raw String'],
    ['version Int', 'raw Binary']
  ])
})

test('a registry and quality rules are handed on', () => {
  const quality = { rules: [{ name: 'known', expression: 'who != ""' }] }
  const settled = settledOf({
    source: {
      bootstrapServers: ['kafka:9092'],
      schemaRegistry: { url: 'http://registry:8081/api', credentialsSecretRef: { name: 'registry' } }
    },
    topics: [{ name: 'trips', table: 'bronze.trips', columns: [{ name: 'who', header: 'who' }], quality }]
  })
  assert.deepEqual(settled.source.schemaRegistry, {
    url: 'http://registry:8081/api',
    credentialsSecret: 'registry',
    caSecret: undefined
  })
  assert.deepEqual(settled.topics[0]?.quality, {
    rules: [{ name: 'known', expression: 'who != ""', weight: 1 }],
    scoreColumn: 'quality_score'
  })
})

for (const [given, requests, limits] of [
  [{ limits: { memory: '1Gi' } }, { cpu: '100m', memory: '1Gi' }, { memory: '1Gi' }],
  [{ requests: { memory: '512Mi', cpu: 2 } }, { cpu: '2', memory: '512Mi' }, { memory: '512Mi' }],
  [{ limits: { cpu: '50m' } }, { cpu: '50m', memory: '256Mi' }, { cpu: '50m', memory: '256Mi' }]
] as const) {
  test(`memory is always limited and no request exceeds a limit: ${JSON.stringify(given)}`, () => {
    assert.deepEqual(settledOf({ consumer: { resources: given } }).consumer.resources, { requests, limits })
  })
}

test('every good manifest can be settled', () => {
  for (const { name, documents } of corpus().filter(item => item.isGood)) {
    const result = parsePipeline(documents.at(-1))
    assert.ok(result.ok, name)
    for (const topic of settle(result.pipeline).topics) assert.ok(topic.batch.triggerIntervalMs >= 100, name)
  }
})

const snowflake = (mode: string) => ({
  snowflake: { account: 'acme-analytics', database: 'SHOP', credentialsSecretRef: { name: 'snowflake' }, mode }
})

test('with mode Streaming records are larger than a request much sooner', () => {
  const most = (mode: string, maxRecordBytes?: string) =>
    settledOf({ topics: [{ name: 'a', table: 'a', ...(maxRecordBytes && { maxRecordBytes }) }], sink: snowflake(mode) })
      .topics[0]?.maxRecordBytes
  assert.equal(most('Transaction'), 16 * MIB)
  assert.equal(most('Streaming'), 3 * MIB)
  assert.equal(most('Streaming', '4Mi'), 3 * MIB)
  assert.equal(most('Streaming', '1Mi'), MIB)
})

test('JSON with a schema may stay whole: the value without its frame, and the version that the registry has for it', () => {
  const columnsOf = (sink: object, schema: object, metadataColumns: readonly object[] = []) => {
    const { topics } = settledOf({
      source: { bootstrapServers: ['kafka:9092'], schemaRegistry: { url: 'http://registry:8081' } },
      topics: [{ name: 'a', table: 'a', format: 'JsonSchema', ...schema }],
      metadataColumns,
      sink
    })
    const [topic] = topics
    assert.ok(topic)
    const wanted = topic.metadataColumns.filter(({ source }) => source === 'Value' || source === 'SchemaVersion')
    return [topic.schema.mode, ...wanted.map(({ name, type }) => `${name} ${type}`)]
  }
  const whole = { schema: { mode: 'Payload' } }
  assert.deepEqual(columnsOf(snowflake('Merge'), whole), ['Payload', '_schema_version Int', 'value Variant'])
  assert.deepEqual(columnsOf(delta({}), whole), ['Payload', '_schema_version Int', 'value String'])
  assert.deepEqual(columnsOf(snowflake('Merge'), {}), ['Registered', '_schema_version Int'])
  const raw = [{ source: 'Value', name: 'raw', type: 'Variant' }]
  assert.deepEqual(columnsOf(snowflake('Merge'), {}, raw), ['Registered', '_schema_version Int', 'raw Variant'])
})
