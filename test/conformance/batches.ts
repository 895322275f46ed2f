import type { Batch, BatchPart } from '../../consumer/batch.ts'
import { planTables, type TablePlan } from '../../consumer/columns/bronze.ts'
import { RowGroupBuffer } from '../../consumer/columns/row-group.ts'
import type { TableSchema } from '../../consumer/columns/schema.ts'
import { readPipelines } from '../../crds/documents.ts'
import { settle } from '../../crds/settle.ts'
import type { SettledPipeline } from '../../crds/settled.ts'

/** Half a day after which date and hour differ between time zones. */
export const TAKEN_AT_MS = Date.UTC(2026, 10, 21, 23, 30, 0, 123)

const MANIFEST = (columns: string, sink: string, namespace: string) => `
apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: conformance, namespace: test}
spec:
  source: {bootstrapServers: ["kafka:9092"]}
  topics:
  - {name: orders, topic: orders, table: ${namespace}.orders, format: Json, columns: [${columns}]}
  sink: ${sink}
`

const COLUMN = { id: '{name: id, value: /id, type: Long}', note: '{name: note, value: /note, type: String}' }

/**
 * The table `bronze.orders`, or that of another namespace, fed by the topic `orders`. `wider` has one more column than
 * the plain one.
 */
export function plannedTable(
  sink: string,
  options: { readonly wider?: boolean; readonly namespace?: string } = {}
): { pipeline: SettledPipeline; plan: TablePlan } {
  const columns = options.wider === true ? [COLUMN.id, COLUMN.note] : [COLUMN.id]
  const { pipelines, problems } = readPipelines(
    MANIFEST(columns.join(', '), sink, options.namespace ?? 'bronze'),
    'conformance'
  )
  const [document] = pipelines
  if (document === undefined) throw new Error(JSON.stringify(problems))
  const pipeline = settle(document)
  const [plan] = planTables(pipeline)
  if (plan === undefined) throw new Error('the pipeline has no table')
  return { pipeline, plan }
}

export interface PartOptions {
  readonly partition?: number
  readonly topicId?: string
  readonly epoch?: number
  /** Offsets from `from` (what the table holds, unless `expected` says otherwise) to `to`, exclusive. */
  readonly from: number
  readonly to: number
  readonly expected?: number | undefined
  /** Offsets among them that are dead letters. */
  readonly bad?: readonly number[]
  /** What the rows have beside the columns of every plan. */
  readonly more?: (offset: number) => Readonly<Record<string, unknown>>
  /** Only the offset moves. */
  readonly empty?: boolean
}

export const TOPIC_ID = 'bm90LWEtcmVhbC10b3BpYy1pZA'

let nextCommit = 0

export function batchOf(plan: TablePlan, parts: readonly PartOptions[], takenAtMs = TAKEN_AT_MS): Batch {
  return { commitId: `${process.pid}-${++nextCommit}`, takenAtMs, parts: parts.map(part => partOf(plan, part)) }
}

function partOf(plan: TablePlan, options: PartOptions): BatchPart {
  const { partition = 0, topicId = TOPIC_ID, epoch = 0, from, to, bad = [], empty = false, more } = options
  const offsets = empty ? [] : Array.from({ length: to - from }, (_, index) => from + index)
  const good = offsets.filter(offset => !bad.includes(offset))
  return {
    partition: { topic: 'orders', topicId, partition },
    epoch,
    expectedOffset: 'expected' in options ? options.expected : from,
    nextOffset: to,
    rows: good.length === 0 ? [] : [rowsOf(plan.schema, partition, good, more)],
    deadLetters: bad.length === 0 ? undefined : rowsOf(plan.deadLetterSchema, partition, bad)
  }
}

function rowsOf(
  schema: TableSchema,
  partition: number,
  offsets: readonly number[],
  more: PartOptions['more'] = () => ({})
): RowGroupBuffer {
  const known: Readonly<Record<string, string | number>> = { _kafka_topic: 'orders', _kafka_partition: partition }
  const buffer = new RowGroupBuffer(
    schema,
    schema.partitionFields?.map(({ column }) => known[column])
  )
  const names = new Set(schema.fields.map(({ name }) => name))
  const isNoteText = schema.fields.find(({ name }) => name === 'note')?.type === 'string'
  const isConstant = (name: string) => ['_ingested_at', '_ingestion_date', '_ingestion_hour'].includes(name)
  buffer.setConstant('_kafka_topic', 'orders')
  buffer.setConstant('_kafka_partition', partition)
  for (const [name, value] of [
    ['_ingested_at', 0n],
    ['_ingestion_date', 0],
    ['_ingestion_hour', 0]
  ] as const) {
    if (names.has(name)) buffer.setConstant(name, value)
  }
  for (const offset of offsets) {
    const values: Record<string, unknown> = {
      _kafka_offset: BigInt(offset),
      _kafka_timestamp: BigInt(TAKEN_AT_MS) * 1_000n + BigInt(offset),
      value: `{"id":${offset}}`,
      id: BigInt(offset),
      note: isNoteText ? `note ${offset}` : BigInt(offset),
      ...more(offset)
    }
    buffer.appendRow(
      Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name) && !isConstant(name)))
    )
  }
  return buffer
}
