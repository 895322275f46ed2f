import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../../consumer/columns/bronze.ts'
import { TableColumns } from '../../../consumer/columns/table-columns.ts'
import { createDecoder } from '../../../consumer/decode/decoder.ts'
import { createJsonReader } from '../../../consumer/decode/json-inferred.ts'
import { PartitionBuffer } from '../../../consumer/decode/partition-buffer.ts'
import { OpenTuples } from '../../../consumer/decode/row-tuples.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'
import { NOW_MS } from '../../fakes/decoded.ts'
import { rowsOf } from '../../fakes/parquet.ts'
import { pipelineOf } from '../../fakes/pipelines.ts'
import { dataBatch } from '../../fakes/records.ts'

const spec = (schema: string, more = '') => `topics:
- name: orders
  table: bronze.orders
  format: Json
  schema: {${schema}}
${more}`

test('partitions of a table share its inferred columns, and metadata columns are taken', async () => {
  const { rows, letters } = await decode(spec('mode: Inferred, onIncompatible: NewColumn'), [
    ['{"price": 1, "_kafka_offset": "mine"}', '{"price": 2.5}', null],
    ['{"price": 3, "note": "x"}', '{"price": "free"}', '7']
  ])
  assert.deepEqual(
    rows.map(row =>
      ['price', 'price_double', 'price_string', 'note', '_kafka_offset', '_kafka_offset_string'].map(
        name => row[name] ?? null
      )
    ),
    [
      [1n, null, null, null, 0n, 'mine'],
      [null, 2.5, null, null, 1n, null],
      [null, null, null, null, 2n, null],
      [3n, null, null, 'x', 0n, null],
      [null, null, 'free', null, 1n, null]
    ]
  )
  assert.deepEqual(letters, ['NotAnObject'])
})

test('without NewColumn a value that its column cannot take is a dead letter', async () => {
  const { rows, letters } = await decode(spec('mode: Inferred'), [
    ['{"price": 1}', '{"price": 2.5, "new": 1}', '{"price": 3}']
  ])
  assert.deepEqual(
    rows.map(({ price }) => price),
    [1n, 3n]
  )
  assert.deepEqual(letters, ['IncompatibleSchema'])
  assert.ok(!('new' in (rows[1] ?? {})))
})

test('inline dead letters have no inferred values', async () => {
  const { rows } = await decode(spec('mode: Inferred', 'deadLetters: {policy: Inline}'), [
    ['{"a": 1}', 'no JSON', '{"a": 2}']
  ])
  assert.deepEqual(
    rows.map(row => [row['a'], (row['_error'] as string | null)?.split(':')[0] ?? null]),
    [
      [1n, null],
      [null, 'InvalidJson'],
      [2n, null]
    ]
  )
})

test('declared columns are all there is of the value, with the names of those that do not fit', async () => {
  const columns = `  columns:
  - {name: id, value: /id, type: Long, required: true}
  - {name: price, value: /price, type: Decimal, precision: 8, scale: 2}
  - {name: day, value: /day, type: Date}
  - {name: ratio, value: /ratio, type: Float}`
  const { rows, letters } = await decode(spec('mode: Declared, onMismatch: SetNull', columns), [
    ['{"id": 1, "price": "12.5", "day": "2024-02-29", "ratio": 0.5}', '{"price": 1.005, "day": 5}', '[', null]
  ])
  const read = rows.map(row => ['id', 'price', 'day', 'ratio', '_mismatch'].map(name => row[name]))
  assert.deepEqual(read, [
    [1n, 12.5, new Date('2024-02-29'), 0.5, null],
    [null, null, null, null, 'id,price,day'],
    [null, null, null, null, null]
  ])
  assert.ok(!rows.some(row => '_value' in row || 'value' in row))
  assert.deepEqual(letters, ['InvalidJson'])
})

/** Rows and the reasons of dead letters, partition by partition. */
async function decode(
  text: string,
  partitions: readonly (readonly (string | null)[])[]
): Promise<{ rows: Record<string, unknown>[]; letters: unknown[] }> {
  const pipeline = pipelineOf(text)
  const [[plan], [entry]] = [planTables(pipeline), pipeline.topics]
  assert.ok(plan !== undefined && entry !== undefined)
  const columns = new TableColumns(plan)
  const context = { plan, pipeline, consumerId: 'shop-0', columns, tuples: new OpenTuples() }
  const buffers = partitions.map((values, number) => {
    const partition = { topic: 'orders', topicId: 'id', partition: number }
    const buffer = new PartitionBuffer(context, entry, partition, 0)
    const reader = entry.schema.mode === 'Inferred' ? createJsonReader(() => columns.known) : undefined
    const batch = dataBatch(
      partition,
      0,
      values.map(value => ({ value }))
    )
    assert.equal(createDecoder(entry, context, reader).append(batch, 0, buffer, NOW_MS).nextOffset, values.length)
    return buffer
  })
  const rows = await Promise.all(
    buffers.flatMap(buffer => buffer.rows).map(group => rowsOf(encodeParquet(group.schema, [group])))
  )
  const letters = buffers.flatMap(({ deadLetters }) => (deadLetters === undefined ? [] : [deadLetters]))
  const read = await Promise.all(letters.map(group => rowsOf(encodeParquet(group.schema, [group]))))
  return { rows: rows.flat(), letters: read.flat().map(({ reason }) => reason) }
}
