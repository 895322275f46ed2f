import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeAsServer, parsePipeline } from '../../crds/validate.ts'

test('a quality rule that cannot be compiled is refused with the place of the mistake', () => {
  const columns = [{ name: 'distance', value: '/distance', type: 'Double' }]
  const quality = { rules: [{ name: 'is_valid', expression: 'distance >' }] }
  const [problem] = beyond({ topics: [{ ...TRIPS, format: 'Json', columns, quality }] })
  assert.equal(problem?.path, 'spec.topics[0].quality.rules[0].expression')
  assert.match(problem.message, /^line 1, column \d+: /)
})

test('a quality rule of a column that is not there is refused', () => {
  const quality = { rules: [{ name: 'is_valid', expression: 'distance > 0.0' }] }
  const [problem] = beyond({ topics: [{ ...TRIPS, quality }] })
  assert.match(problem?.message ?? '', /distance/)
})

const byHour = iceberg([
  { source: 'Topic', transform: 'Identity' },
  { source: 'Timestamp', transform: 'Hour' }
])
const metadataColumns = [
  { source: 'Timestamp', name: 'at' },
  { source: 'Topic', name: 'topic' }
]

for (const [what, entry] of [
  ['a lifted column', { columns: [{ name: 'At_Hour', header: 'a' }] }],
  ['a quality rule', { quality: { rules: [{ name: 'at_hour', expression: 'true' }] } }],
  ['a score', { quality: { rules: [{ name: 'ok', expression: 'true' }], scoreColumn: 'at_hour' } }]
] as const) {
  test(`${what} with the name of a partition field is refused: no catalog takes such a table`, () => {
    const [problem] = beyond({ topics: [{ ...TRIPS, ...entry }], metadataColumns, sink: byHour })
    assert.deepEqual(problem, {
      path: 'spec.sink.iceberg.partitionBy[1]',
      message: 'makes a field at_hour: rename the column of that name'
    })
  })
}

test('a metadata column with the name of a partition field is refused, one that is the partition field is not', () => {
  const named = [...metadataColumns, { source: 'Key', name: 'at_hour' }]
  assert.equal(beyond({ topics: [TRIPS], metadataColumns: named, sink: byHour }).length, 1)
  const standard = iceberg([{ source: 'Key', transform: 'Bucket', width: 4 }])
  assert.deepEqual(beyond({ topics: [TRIPS], metadataColumns, sink: standard }), [])
  assert.deepEqual(beyond({ topics: [TRIPS], metadataColumns, sink: byHour }), [])
})

for (const [one, other, schema] of [
  ['orders', 'ORDERS', 'PUBLIC'],
  ['bronze.orders', 'Bronze.Orders', 'PUBLIC'],
  ['orders', 'RAW.ORDERS', 'raw']
] as const) {
  test(`${one} and ${other} are one table in Snowflake, and two writers are refused`, () => {
    const topics = [
      { name: 'a', table: one },
      { name: 'b', table: other }
    ]
    const [problem, ...more] = beyond({ topics, sink: snowflake({ schema }) })
    assert.deepEqual(more, [])
    assert.equal(problem?.path, 'spec.topics[1].table')
    assert.match(problem.message, new RegExp(`${one}.* are one table in Snowflake, .*: write them alike`))
    assert.deepEqual(beyond({ topics }), [])
  })
}

test('entries that write a Snowflake table under one name are accepted, as are tables of two schemas', () => {
  const topics = ['orders', 'orders', 'b.orders', 'PUBLIC_.orders'].map((table, i) => ({ name: `t${i}`, table }))
  assert.deepEqual(beyond({ topics, sink: snowflake({}) }), [])
})

test('a clustering key names columns that every table has, ignoring case, and none that has no order', () => {
  const keys = (clusterBy: readonly string[], more: object = {}) =>
    beyond({
      topics: [
        {
          ...TRIPS,
          columns: [{ name: 'who', header: 'who' }],
          quality: { rules: [{ name: 'ok', expression: 'true' }] }
        },
        { name: 'rides', table: 'rides', format: 'Json', ...more }
      ],
      sink: snowflake({ clusterBy })
    }).map(({ path, message }) => `${path}: ${message}`)
  assert.deepEqual(keys(['_KAFKA_PARTITION', '_ingestion_id']), [])
  const place = 'spec.sink.snowflake.clusterBy'
  const standard =
    '_KAFKA_TOPIC, _KAFKA_PARTITION, _KAFKA_OFFSET, _KAFKA_TIMESTAMP, _KAFKA_KEY, _KAFKA_HEADERS, _INGESTED_AT, ' +
    '_INGESTION_DATE, _INGESTION_ID, _CONSUMER_ID, VALUE'
  assert.deepEqual(keys(['_kafka_topic', 'WHO']), [
    `${place}[1]: table rides has no column WHO: name columns that all tables have, of ${standard}`
  ])
  assert.deepEqual(
    keys(['WHO', 'OK'], {
      columns: [
        { name: 'Who', key: true },
        { name: 'ok', header: 'a' }
      ]
    }),
    []
  )
  assert.deepEqual(keys(['VALUE', '_kafka_headers']), [
    `${place}[0]: Snowflake cannot cluster by VALUE of table rides, a VARIANT: name another column`,
    `${place}[1]: Snowflake cannot cluster by _kafka_headers of table bronze.trips, a VARIANT: name another column`
  ])
})

test('a column that is only staged is none that a clustering key or a quality rule may name', () => {
  const spec = {
    metadataColumns: [{ source: 'Offset', omit: true }],
    topics: [{ ...TRIPS, quality: { rules: [{ name: 'ok', expression: '_bronze_offset > 0' }] } }],
    sink: snowflake({ clusterBy: ['_bronze_offset'] })
  }
  assert.deepEqual(
    beyond(spec).map(({ path }) => path),
    ['spec.sink.snowflake.clusterBy[0]', 'spec.topics[0].quality.rules[0].expression']
  )
})

const TRIPS = { name: 'trips', table: 'bronze.trips' }

function iceberg(partitionBy: readonly object[]) {
  return { iceberg: { catalog: { uri: 'http://catalog:8181' }, partitionBy } }
}

function snowflake(more: object) {
  return {
    snowflake: { account: 'acme-analytics', database: 'COMMERCE', credentialsSecretRef: { name: 'key' }, ...more }
  }
}

/** The problems of a pipeline that the API server accepts. */
function beyond(spec: object) {
  const document = {
    apiVersion: 'bronze.dev/v1alpha1',
    kind: 'BronzePipeline',
    metadata: { name: 'taxi' },
    spec: { source: { bootstrapServers: ['kafka:9092'] }, sink: { delta: { location: 's3://lake' } }, ...spec }
  }
  assert.ok(judgeAsServer(document).ok)
  const result = parsePipeline(document)
  return result.ok ? [] : result.problems
}
