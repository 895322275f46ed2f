import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../../consumer/columns/bronze.ts'
import { pipelineOf } from '../../fakes/pipelines.ts'

const planOf = (topic: string, partitionBy = '', more = '') => {
  const sink = `{iceberg: {catalog: {uri: "http://c"}${partitionBy === '' ? '' : `, partitionBy: ${partitionBy}`}}}`
  const [plan] = planTables(
    pipelineOf(`sink: ${sink}\ntopics: [{name: orders, table: bronze.orders${topic}}]\n${more}`)
  )
  assert.ok(plan !== undefined)
  return plan
}

test('an Iceberg table is partitioned by the columns that its sources have become, in fields named as engines name them', () => {
  const specs = '[{source: Timestamp, transform: Hour}, {source: Key, transform: Bucket, width: 16}]'
  const { schema } = planOf('', specs, 'metadataColumns: [{source: Timestamp, name: at}]')
  assert.deepEqual(schema.partitionFields, [
    { column: 'at', transform: 'hour', name: 'at_hour' },
    { column: '_kafka_key', transform: { bucket: 16 }, name: '_kafka_key_bucket' }
  ])
  assert.deepEqual(schema.partitionBy, [])
  assert.deepEqual(planOf('').schema.partitionFields, [
    { column: '_ingested_at', transform: 'day', name: '_ingested_at_day' }
  ])
  assert.deepEqual(planOf('', '[]').schema.partitionFields, [])
})

test('objects of records whose own time is in their paths are told apart by the least part of it', () => {
  const fieldsOf = (path: string, pathTime = 'Timestamp', columns = '[{source: Timestamp, name: at}]') => {
    const sink = `{s3: {location: "file:///l", path: "${path}", pathTime: ${pathTime}}}`
    const topics = '[{name: orders, table: bronze.orders}]'
    const [plan] = planTables(pipelineOf(`sink: ${sink}\ntopics: ${topics}\nmetadataColumns: ${columns}`))
    return plan?.schema.partitionFields
  }
  assert.deepEqual(fieldsOf('{yyyy}/{MM}/{dd}/{HH}'), [{ column: 'at', transform: 'hour', name: 'at_hour' }])
  assert.deepEqual(fieldsOf('d={dd}'), [{ column: 'at', transform: 'day', name: 'at_day' }])
  assert.deepEqual(fieldsOf('{yyyy}-{MM}'), [{ column: 'at', transform: 'month', name: 'at_month' }])
  assert.deepEqual(fieldsOf('{yyyy}/{topic}'), [{ column: 'at', transform: 'year', name: 'at_year' }])
  assert.deepEqual(fieldsOf('{topic}/{dd}', 'IngestedAt'), [])
})

test('rows ascend by where they come from, as far as the table says it', () => {
  assert.deepEqual(planOf('').schema.sortBy, ['_kafka_topic', '_kafka_partition', '_kafka_offset'])
  const omitted = 'metadataColumns: [{source: Partition, omit: true}]'
  assert.deepEqual(planOf('', '', omitted).schema.sortBy, ['_kafka_topic'])
})

test('a table has the columns of its own in a stable order; only those of values grow', () => {
  const avro = planOf(
    ', format: Json, schema: {mode: Inferred}, quality: {rules: [{name: is_far, expression: "x > 1.0"}]}'
  )
  const names = avro.schema.fields.map(({ name }) => name)
  assert.deepEqual(names.slice(-2), ['is_far', 'quality_score'])
  assert.ok(!names.includes('_kafka_value') && !names.includes('_value'))
  assert.deepEqual(avro.growth, { canWiden: true })
  assert.equal(planOf('').growth, undefined)
  const declared = planOf(
    ', format: Json, schema: {mode: Declared, onMismatch: SetNull}, columns: [{name: price, value: /price, type: Decimal, precision: 12, scale: 2}]'
  )
  assert.deepEqual(
    declared.schema.fields.slice(-2).map(({ name, type }) => [name, type]),
    [
      ['price', { decimal: { precision: 12, scale: 2 } }],
      ['_mismatch', 'string']
    ]
  )
  assert.equal(declared.growth, undefined)
})
