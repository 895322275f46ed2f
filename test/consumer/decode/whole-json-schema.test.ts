import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../../consumer/columns/bronze.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { TableColumns } from '../../../consumer/columns/table-columns.ts'
import { createDecoder } from '../../../consumer/decode/decoder.ts'
import { JsonSchemas } from '../../../consumer/decode/json-schema-reader.ts'
import { PartitionBuffer } from '../../../consumer/decode/partition-buffer.ts'
import { OpenTuples } from '../../../consumer/decode/row-tuples.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'
import { NOW_MS } from '../../fakes/decoded.ts'
import { rowsOf } from '../../fakes/parquet.ts'
import { pipelineOf } from '../../fakes/pipelines.ts'
import { dataBatch } from '../../fakes/records.ts'
import { FakeRegistry, framed } from '../../fakes/schema-registry.ts'

const spec = (more: string, schema = '{mode: Payload}') => `source:
  bootstrapServers: [kafka:9092]
  schemaRegistry: {url: "http://registry:8081"}
topics:
- name: orders
  table: orders
  format: JsonSchema
  schema: ${schema}
${more}`

const COLUMNS = '  columns: [{name: id, value: /id, type: Long, required: true}]'
const ORDER = { type: 'object', properties: { id: { type: 'integer' } } }

const JSON_TYPE = { type: 'JSON' } as const

const value = (id: number, text: string) => framed(id, Buffer.from(text))

test('values stay whole without their frames, columns are lifted from them, and the registry tells their versions', async () => {
  const registry = new FakeRegistry()
  registry.register(ORDER, JSON_TYPE)
  const id = registry.register(ORDER, JSON_TYPE)
  const { rows, letters } = await decode(spec(COLUMNS), registry, [
    value(id, '{"id": 7, "other": {"a": [1]}}'),
    null,
    value(id, '{"id": "seven"}'),
    value(id, '{"id": 7'),
    Buffer.from('{"id": 7}'),
    value(id + 1, '{"id": 7}'),
    value(id, '{"id": 8}')
  ])
  assert.deepEqual(
    rows.map(row => [row['id'], row['value'], row['_schema_version'], row['_kafka_offset']]),
    [
      [7n, '{"id": 7, "other": {"a": [1]}}', 2, 0n],
      [null, null, null, 1n],
      [8n, '{"id": 8}', 2, 6n]
    ]
  )
  assert.ok(rows.every(row => !('other' in row)))
  assert.deepEqual(letters, ['WrongType', 'InvalidJson', 'NotFramed', 'UnknownSchema'])
})

test('a registry that does not answer is waited for', async () => {
  const registry = new FakeRegistry()
  const id = registry.hold({ ready: Promise.resolve(), trouble: 'ECONNREFUSED' })
  const { rows, letters, pending } = await decode(spec(COLUMNS), registry, [value(id, '{"id": 7}')])
  assert.deepEqual([rows, letters, pending], [[], [], true])
})

test('inline dead letters keep their frames', async () => {
  const registry = new FakeRegistry()
  const id = registry.register(ORDER, JSON_TYPE)
  const { rows } = await decode(spec('deadLetters: {policy: Inline}'), registry, [value(id, '{'), value(id, '{}')])
  assert.deepEqual(
    rows.map(row => [row['value'], row['_error_value'] && Buffer.from(row['_error_value'] as Uint8Array)]),
    [
      [null, value(id, '{')],
      ['{}', null]
    ]
  )
})

test('beside typed columns the value is JSON for NDJSON objects, and bytes as they came elsewhere', async () => {
  const registry = new FakeRegistry()
  const id = registry.register(ORDER, JSON_TYPE)
  const whole = (sink: string, type: string) =>
    spec(`metadataColumns: [{source: Value, name: raw, ${type}}]\nsink: ${sink}`, '{}')
  const ndjson = whole("{s3: {location: 's3://landing/raw', format: Ndjson}}", 'type: Variant')
  const lines = await decode(ndjson, registry, [value(id, '{"id": 7}')])
  assert.deepEqual([lines.rows[0]?.['id'], lines.rows[0]?.['raw']], [7n, '{"id": 7}'])
  const delta = await decode(whole("{delta: {location: 's3://lake/bronze'}}", 'type: Binary'), registry, [
    value(id, '{"id": 7}')
  ])
  assert.deepEqual(Buffer.from(delta.rows[0]?.['raw'] as Uint8Array), value(id, '{"id": 7}'))
})

/** Rows, reasons of dead letters, and whether the last record waits. */
async function decode(text: string, registry: FakeRegistry, values: readonly (Uint8Array | null)[]) {
  const pipeline = pipelineOf(text)
  const [[plan], [entry]] = [planTables(pipeline), pipeline.topics]
  assert.ok(plan !== undefined && entry !== undefined)
  const columns = new TableColumns(plan)
  const context = { plan, pipeline, consumerId: 'shop-0', columns, tuples: new OpenTuples() }
  const partition = { topic: 'orders', topicId: 'id', partition: 0 }
  const buffer = new PartitionBuffer(context, entry, partition, 0)
  const schemas = new JsonSchemas(registry, dialectOf(pipeline.sink.kind))
  const place = { topic: 'orders', known: () => columns.known }
  const reader = entry.schema.mode === 'Payload' ? schemas.wholeReader(place) : schemas.reader(place)
  const batch = dataBatch(
    partition,
    0,
    values.map(each => ({ value: each }))
  )
  const { pending } = createDecoder(entry, context, reader).append(batch, 0, buffer, NOW_MS)
  const read = await Promise.all(buffer.rows.map(async rows => await rowsOf(encodeParquet(rows.schema, [rows]))))
  const letters = buffer.deadLetters && (await rowsOf(encodeParquet(buffer.deadLetters.schema, [buffer.deadLetters])))
  return { rows: read.flat(), letters: (letters ?? []).map(({ reason }) => reason), pending: pending !== undefined }
}
