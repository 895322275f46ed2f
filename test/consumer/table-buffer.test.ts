import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planTables } from '../../consumer/columns/bronze.ts'
import type { Field } from '../../consumer/columns/schema.ts'
import { MAX_OPEN_COLUMNS, MAX_OPEN_TUPLES } from '../../consumer/decode/row-tuples.ts'
import type { Pending, ValueReader } from '../../consumer/decode/value-reader.ts'
import { partitionId, type PartitionId } from '../../consumer/partition.ts'
import type { RecordBatch } from '../../consumer/record-batch.ts'
import { TableBuffer, toBatch, type ReaderFor } from '../../consumer/table-buffer.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import { BytesColumn } from '../../consumer/columns/bytes-column.ts'
import { pipelineOf } from '../fakes/pipelines.ts'
import { dataBatch } from '../fakes/records.ts'

const LIMITS = { maxRecords: undefined, maxBytes: 2 ** 24, triggerIntervalMs: 1000 }
const [P0, P1] = [0, 1].map(partition => ({ topic: 'orders', topicId: 'id', partition }))
const TYPED = 'topics: [{name: orders, table: bronze.orders, format: Json, schema: {mode: Inferred}}]'
const BY_HOUR = `sink: {iceberg: {catalog: {uri: "http://c"}, partitionBy: [{source: Timestamp, transform: Hour}]}}
topics: [{name: orders, table: bronze.orders}]`

/** Reads text of the form `field=value`; values that begin with `?` wait until they are let through. */
class TextReader implements ValueReader {
  fields: readonly Field[] = []
  readonly schemaVersion = undefined
  readonly #gate: Gate
  #text = ''

  constructor(gate: Gate) {
    this.#gate = gate
  }

  check({ bytes, valueStart, valueLength }: Parameters<ValueReader['check']>[0]): Pending | undefined {
    this.#text = bytes.toString('utf8', valueStart, valueStart + valueLength)
    const [name = ''] = this.#text.split('=')
    this.fields = this.#gate.fieldsOf(name)
    return this.#text.includes('=?') && !this.#gate.isOpen ? this.#gate : undefined
  }

  append(rows: Parameters<ValueReader['append']>[0], [binding]: Parameters<ValueReader['append']>[1]): void {
    const column = rows.column(binding?.target ?? '')
    assert.ok(column instanceof BytesColumn)
    column.appendValue(this.#text, column.leaf.maxDefinition, 0)
  }

  value(): undefined {}
}

class Gate implements Pending {
  readonly #settled = Promise.withResolvers<void>()
  readonly ready = this.#settled.promise
  readonly trouble = 'RegistryDown'
  readonly #fields = new Map<string, readonly Field[]>()
  isOpen = false

  async open(): Promise<void> {
    this.isOpen = true
    this.#settled.resolve()
    await this.ready
  }

  fieldsOf(name: string): readonly Field[] {
    let fields = this.#fields.get(name)
    if (fields === undefined) this.#fields.set(name, (fields = [{ name, type: 'string', nullable: true }]))
    return fields
  }
}

function opened(spec: string, readerFor: ReaderFor = () => undefined) {
  const pipeline: SettledPipeline = pipelineOf(spec)
  const [plan] = planTables(pipeline)
  const [entry] = pipeline.topics
  assert.ok(plan !== undefined && entry !== undefined && P0 !== undefined && P1 !== undefined)
  const buffer = new TableBuffer(plan, pipeline, 'pod-0', LIMITS, readerFor)
  const places = [P0, P1].map(partition => {
    buffer.assign(partition, entry)
    const slot = buffer.slot(partitionId(partition))
    assert.ok(slot !== undefined)
    slot.place = {
      epoch: 0,
      expectedOffset: 0,
      nextOffset: 0,
      buffer: undefined,
      isCommitting: false,
      blocked: undefined
    }
    return slot.place
  })
  return { buffer, places }
}

const batch = (partition: number, from: number, values: readonly string[], timestampMs = 0): RecordBatch =>
  dataBatch(
    { topic: 'orders', topicId: 'id', partition },
    from,
    values.map(value => ({ value, timestampMs }))
  )

const id = (partition: number): PartitionId => `orders-${partition}`

test('a partition whose record waits for a schema holds up no other, and goes on where it stopped', async () => {
  const gate = new Gate()
  const { buffer, places } = opened(TYPED, () => new TextReader(gate))
  buffer.offer(batch(0, 0, ['a=1', 'a=?', 'a=3']), 0)
  buffer.offer(batch(0, 3, ['a=4']), 0)
  buffer.offer(batch(1, 0, ['a=5', 'a=6']), 0)
  assert.deepEqual(
    places.map(({ nextOffset }) => nextOffset),
    [1, 2]
  )
  assert.equal(buffer.records, 3)
  assert.equal(buffer.waitingBytes, 0, 'what waits for a schema does not keep others from being fetched')
  assert.deepEqual([buffer.isOpen(id(0)), buffer.isOpen(id(1))], [false, true])
  assert.deepEqual(
    buffer.blocked().map(({ slot, pending }) => [slot.id, pending.trouble]),
    [[id(0), 'RegistryDown']]
  )
  buffer.admit(0)
  assert.equal(places[0]?.nextOffset, 1)
  // What is there already can be committed, up to the record that waits.
  assert.deepEqual(
    toBatch(buffer.take(), 'c', 0).parts.map(({ nextOffset }) => nextOffset),
    [1, 2]
  )
  await gate.open()
  buffer.admit(0)
  assert.equal(places[0]?.nextOffset, 4)
  assert.equal(buffer.isOpen(id(0)), true)
  assert.deepEqual(buffer.blocked(), [])
})

test('batches that wait for long are let go, and their partition is sought where it stopped', async () => {
  const gate = new Gate()
  const { buffer, places } = opened(TYPED, () => new TextReader(gate))
  const large = 'x'.repeat(3 * 2 ** 20)
  buffer.offer(batch(0, 0, ['a=1', 'a=?']), 0)
  buffer.offer(batch(0, 2, [`a=${large}`]), 0)
  buffer.offer(batch(0, 3, [`a=${large}`]), 0)
  // What was fetched meanwhile must not be appended over the gap.
  await gate.open()
  buffer.offer(batch(0, 4, ['a=5']), 0)
  buffer.admit(0)
  assert.equal(places[0]?.nextOffset, 1)
  assert.equal(buffer.isOpen(id(0)), false)
  assert.deepEqual([...buffer.reopen()], [[id(0), 1]])
  assert.deepEqual([...buffer.reopen()], [])
  assert.equal(buffer.isOpen(id(0)), true)
  buffer.offer(batch(0, 0, ['a=1', 'a=?']), 0)
  assert.equal(places[0]?.nextOffset, 2)
  assert.equal(buffer.records, 2)
})

test('columns that come later are null in the rows before; the row group stays one', () => {
  const { buffer } = opened(TYPED, () => new TextReader(new Gate()))
  buffer.offer(batch(0, 0, ['a=1', 'b=2', 'a=3']), 0)
  const [part] = toBatch(buffer.take(), 'c', 0).parts
  assert.equal(part?.rows.length, 1)
  const [group] = part.rows
  assert.deepEqual(
    ['a', 'b'].map(name => [group?.column(name)?.count, group?.column(name)?.nullCount]),
    [
      [3, 1],
      [3, 2]
    ]
  )
})

test('rows are told apart by their tuple, and a table of too many tuples takes no more before a commit', () => {
  const { buffer, places } = opened(BY_HOUR)
  const hour = (index: number) => index * 3_600_000
  const records = Array.from({ length: MAX_OPEN_TUPLES + 6 }, (_, index) => ({ value: 'v', timestampMs: hour(index) }))
  buffer.offer(dataBatch({ topic: 'orders', topicId: 'id', partition: 0 }, 0, records), 0)
  buffer.offer(batch(1, 0, ['v'], hour(200)), 0)
  assert.equal(places[0]?.nextOffset, MAX_OPEN_TUPLES)
  assert.equal(places[1]?.nextOffset, 0)
  assert.ok(buffer.isFull && buffer.isStuck)
  const [part] = toBatch(buffer.take(), 'c', 0).parts
  assert.deepEqual(
    part?.rows.map(({ rows, partitionValues }) => [rows, ...partitionValues]),
    Array.from({ length: MAX_OPEN_TUPLES }, (_, index) => [1, index])
  )
  buffer.admit(0)
  assert.equal(places[0]?.nextOffset, records.length)
  assert.equal(places[1]?.nextOffset, 1)
  assert.equal(buffer.isStuck, false)
  buffer.forget([id(0), id(1)])
  assert.equal(buffer.records, 0)
})

test('a table takes no more before a commit when all its row groups together have too many columns', () => {
  const names = Array.from({ length: 64 }, (_, index) => `{name: c${index}, header: h}`).join(', ')
  const { buffer, places } = opened(
    BY_HOUR.replace('table: bronze.orders', `table: bronze.orders, columns: [${names}]`)
  )
  const records = Array.from({ length: 60 }, (_, index) => ({ value: 'v', timestampMs: index * 3_600_000 }))
  for (const partition of [0, 1]) buffer.offer(dataBatch({ topic: 'orders', topicId: 'id', partition }, 0, records), 0)
  assert.ok(buffer.isStuck)
  const groups = toBatch(buffer.take(), 'c', 0).parts.flatMap(({ rows }) => rows)
  const columns = groups.reduce((sum, group) => sum + group.columns.length, 0)
  assert.ok(columns > MAX_OPEN_COLUMNS - 100 && columns <= MAX_OPEN_COLUMNS, `${columns} columns`)
  assert.equal(places[0]?.nextOffset, 60)
  buffer.admit(0)
  assert.equal(places[1]?.nextOffset, 60)
  assert.equal(buffer.isStuck, false)
})
