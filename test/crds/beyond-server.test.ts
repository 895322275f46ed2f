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

const TRIPS = { name: 'trips', table: 'bronze.trips' }

function iceberg(partitionBy: readonly object[]) {
  return { iceberg: { catalog: { uri: 'http://catalog:8181' }, partitionBy } }
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
