import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPipelines, type Documents } from '../../crds/documents.ts'
import { qualityScope } from '../../crds/quality.ts'
import { pipelineOf } from '../fakes/pipelines.ts'

const COLUMNS =
  '[{name: distance, value: /d, type: Double}, {name: fare, value: /f, type: Decimal, precision: 9, scale: 2}, ' +
  '{name: riders, value: /r, type: Int}, {name: day, value: /day, type: Date}, {name: type, header: kind}, {name: vendor, key: true}]'

const read = (expressions: readonly string[], topic = `format: Json, columns: ${COLUMNS}`, more = ''): Documents =>
  readPipelines(
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: taxi}
spec:
  source: {bootstrapServers: ['kafka:9092'], schemaRegistry: {url: 'http://registry:8081'}}
  sink: {delta: {location: "file:///tables"}}
  topics:
  - {name: zones, table: bronze.zones}
  - {name: trips, table: bronze.trips, ${topic}, quality: {rules: [
${expressions.map((expression, i) => `    {name: rule_${i}, expression: ${JSON.stringify(expression)}}`).join(',\n')}]}}
${more}`,
    'taxi.yaml'
  )

test('rules over lifted and metadata columns are accepted', () => {
  const { problems, pipelines } = read([
    'distance > 0.0 && fare >= 2.5 && riders in [1, 2, 3, 4]',
    'day >= timestamp("2009-01-01T00:00:00Z")',
    '__type__ == "trip" || vendor.startsWith("C")',
    '_kafka_timestamp > timestamp("2009-01-01T00:00:00Z") && _kafka_offset >= 0 && _kafka_topic == "trips"',
    'size(_kafka_key) > 0 && size(value) < 10000'
  ])
  assert.deepEqual(problems, [])
  assert.equal(pipelines.length, 1)
})

test('a wrong expression is a problem with its rule, its place in the file and in the expression, and a remedy', () => {
  const { problems } = read(['distance > 0.0', 'distance > "far"', 'riders > 0 && passengers > 0', 'fare +'])
  assert.deepEqual(
    problems.map(({ path, line }) => [path, line]),
    [
      ['spec.topics[1].quality.rules[1].expression', 11],
      ['spec.topics[1].quality.rules[2].expression', 12],
      ['spec.topics[1].quality.rules[3].expression', 13]
    ]
  )
  assert.match(problems[0]?.message ?? '', /^line 1, column 1: no such overload: double > string: write both sides/)
  assert.match(
    problems[1]?.message ?? '',
    /^line 1, column 15: Unknown variable: passengers: known here: distance, fare/
  )
  assert.match(problems[2]?.message ?? '', /^line 1, column 7: Unexpected token: EOF/)
})

test('where fields of values become columns, an expression may name any', () => {
  for (const topic of [
    'format: Avro',
    'format: Protobuf',
    'format: JsonSchema',
    'format: Json, schema: {mode: Inferred}'
  ]) {
    assert.deepEqual(read(['trip.distance > 0.0 && has(trip.end)', 'passengers == 1'], topic).problems, [])
    assert.equal(read(['_kafka_offset > "a"'], topic).problems.length, 1)
  }
  assert.deepEqual(read(['_schema_version >= 1'], 'format: Avro').problems, [])
})

test('renamed metadata columns go by their names, omitted ones and those of a whole commit are unknown', () => {
  const more = '  metadataColumns: [{source: Offset, name: KAFKA_OFFSET}, {source: Timestamp, omit: true}]'
  const problemsOf = (expression: string) => read([expression], undefined, more).problems.length
  assert.equal(problemsOf('KAFKA_OFFSET > 5'), 0)
  for (const gone of [
    '_kafka_offset > 5',
    '_kafka_timestamp != null',
    '_ingested_at != null',
    'size(_kafka_headers) > 0'
  ])
    assert.equal(problemsOf(gone), 1, gone)
})

test('key and value are texts or bytes as their columns are', () => {
  const entry = (more: string) => pipelineOf(`topics: [{name: a, table: t, format: Json}]\n${more}`).topics[0]
  const types = (more: string) => {
    const topic = entry(more)
    assert.ok(topic !== undefined)
    const { variables } = qualityScope(topic)
    return [variables.get('_kafka_key'), variables.get('value')]
  }
  assert.deepEqual(types(''), ['bytes', 'string'])
  assert.deepEqual(types('metadataColumns: [{source: Key, type: String}, {source: Value, type: Binary}]'), [
    'string',
    'bytes'
  ])
})
