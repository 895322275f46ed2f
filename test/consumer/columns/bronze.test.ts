import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../../consumer/columns/bronze.ts'
import { pipelineOf } from '../../fakes/pipelines.ts'

const TOPICS = `topics:
- {name: orders, table: bronze.orders, format: Json, columns: [{name: amount, value: /amount, type: Double}]}
- {name: clicks, table: bronze.clicks}
- {name: clicks-eu, table: bronze.clicks}
`

test('tables are planned in the order of the topics, entries that share one together', () => {
  const plans = planTables(pipelineOf(TOPICS))
  assert.deepEqual(
    plans.map(({ table, entries, deadLetterTable }) => [table, entries.map(({ name }) => name), deadLetterTable]),
    [
      ['bronze.orders', ['orders'], 'bronze.dlq_orders'],
      ['bronze.clicks', ['clicks', 'clicks-eu'], 'bronze.dlq_clicks']
    ]
  )
})

test('a table has its metadata columns, then the lifted ones, all nullable', () => {
  const [orders, clicks] = planTables(pipelineOf(TOPICS))
  const named = (fields: readonly { name: string; type: unknown }[] = []) =>
    fields.filter(({ name }) => !name.startsWith('_')).map(({ name, type }) => [name, type])
  assert.deepEqual(named(orders?.schema.fields), [
    ['value', 'string'],
    ['amount', 'double']
  ])
  assert.deepEqual(named(clicks?.schema.fields), [['value', 'binary']])
  assert.ok(orders?.schema.fields.every(({ nullable }) => nullable))
})

test('partition columns follow sink.delta.partitionBy, under their own names', () => {
  const by = (partitionBy: string) =>
    planTables(
      pipelineOf(
        `${TOPICS}metadataColumns: [{source: IngestionDate, name: day}]\nsink: {delta: {location: "file:///t", partitionBy: ${partitionBy}}}`
      )
    )[0]?.schema.partitionBy
  assert.deepEqual(by('None'), [])
  assert.deepEqual(by('Date'), ['day'])
  assert.deepEqual(by('Hour'), ['day', '_ingestion_hour'])
})

test('policy Inline adds the error, and a place for bytes only where the table has none', () => {
  const added = (more: string) =>
    planTables(pipelineOf(`${TOPICS}deadLetters: {policy: Inline}\n${more}`)).map(({ schema, deadLetterTable }) => [
      deadLetterTable,
      ...schema.fields.filter(({ name }) => name.startsWith('_error')).map(({ name }) => name)
    ])
  assert.deepEqual(added(''), [
    [undefined, '_error', '_error_value'],
    [undefined, '_error']
  ])
  assert.deepEqual(
    added(
      'metadataColumns: [{source: Key, type: String}, {source: Headers, omit: true}, {source: Value, omit: true}]'
    )[1],
    [undefined, '_error', '_error_value', '_error_key', '_error_headers']
  )
})
