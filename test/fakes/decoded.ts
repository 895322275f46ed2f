import assert from 'node:assert/strict'
import { planTables } from '../../consumer/columns/bronze.ts'
import { TableColumns } from '../../consumer/columns/table-columns.ts'
import { createDecoder } from '../../consumer/decode/decoder.ts'
import { PartitionBuffer } from '../../consumer/decode/partition-buffer.ts'
import { OpenTuples } from '../../consumer/decode/row-tuples.ts'
import { encodeParquet } from '../../consumer/parquet/file.ts'
import type { RecordBatch } from '../../consumer/record-batch.ts'
import { rowsOf } from './parquet.ts'
import { pipelineOf } from './pipelines.ts'
import type { FakeRecord } from './records.ts'

export const PARTITION = { topic: 'orders', topicId: 'id', partition: 3 }
export const NOW_MS = 1_700_000_000_000
const COLUMNS = `
  - {name: kind, value: /event/type, required: true}
  - {name: amount, value: /amount, type: Double}
  - {name: service, header: x-service}
  - {name: customer, key: true, type: Long}`

export interface Decoded {
  readonly rows: Record<string, unknown>[]
  readonly letters: Record<string, unknown>[]
  readonly buffer: PartitionBuffer
}

interface Options {
  readonly spec?: string
  readonly from?: number
  readonly epoch?: number
}

/** Decodes batches of one partition and reads the files back. */
export async function decode(
  batches: readonly RecordBatch[],
  { spec = json(), from = 0, epoch = 0 }: Options = {}
): Promise<Decoded> {
  const pipeline = pipelineOf(spec)
  const [plan] = planTables(pipeline)
  const [entry] = pipeline.topics
  assert.ok(plan !== undefined && entry !== undefined)
  const context = {
    plan,
    pipeline,
    consumerId: 'shop-0',
    columns: new TableColumns(plan),
    tuples: new OpenTuples()
  }
  const buffer = new PartitionBuffer(context, entry, PARTITION, epoch)
  const decoder = createDecoder(entry, context, undefined)
  for (const batch of batches) decoder.append(batch, from, buffer, NOW_MS)
  const { deadLetters } = buffer
  return {
    rows: await rowsOf(encodeParquet(plan.schema, buffer.rows)),
    letters: deadLetters === undefined ? [] : await rowsOf(encodeParquet(plan.deadLetterSchema, [deadLetters])),
    buffer
  }
}

export const json = (more = '', topic = '') => `topics:
- name: orders
  table: bronze.orders
  format: Json${topic === '' ? '' : `\n  ${topic}`}
  columns:${COLUMNS}
${more}`

export const raw = (more = '') => `topics: [{name: orders, table: bronze.orders}]\n${more}`

export const good: FakeRecord = {
  key: '42',
  value: '{"event": {"type": "sale"}, "amount": 12.5}',
  headers: [
    ['x-service', 'old'],
    ['x-service', 'shop'],
    ['trace', null]
  ],
  timestampMs: NOW_MS
}
