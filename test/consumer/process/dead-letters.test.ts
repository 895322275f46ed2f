import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { encodeBatch } from '../../../cli/demo/batch-encoder.ts'
import { sealBatch } from '../source/batch-builder.ts'
import { brokerFor, groupView, produce, send } from './kafka.ts'
import { Workplace, span } from './workplace.ts'

const ZSTD = 4
const HEADERS = { trace: 'abc' }
const NOT_UTF8 = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])
const TOO_LARGE = Buffer.from(JSON.stringify({ id: 'x'.repeat(3000) }))

const VALUES: readonly Buffer[] = [
  Buffer.from('{"id": "a"}'),
  NOT_UTF8,
  Buffer.from('{"id": '),
  Buffer.from('{"other": 1}'),
  TOO_LARGE,
  Buffer.from('{"id": "b"}')
]

/** Three records that say they are compressed, and are not. */
function notCompressed(): Buffer {
  const records = [1, 2, 3].map(() => ({ key: '', value: randomBytes(40), timestampMs: Date.now(), headers: {} }))
  const batch = encodeBatch(records, 'none')
  batch.writeInt16BE(ZSTD, 21)
  return sealBatch(batch)
}

const spec = (policy: string) => `topics:
- name: orders
  table: bronze.orders
  format: Json
  maxRecordBytes: 2Ki
  columns: [{name: id, value: /id, type: String, required: true}]
batch: {triggerInterval: 100ms}
deadLetters: {policy: ${policy}}`

/** Offsets 0 to 9: good are 0, 5 and 9; 6 to 8 are a batch that does not decompress. */
async function fill(bootstrap: string): Promise<Buffer> {
  await produce(bootstrap, 'orders', 0, VALUES, HEADERS)
  const batch = notCompressed()
  await send(bootstrap, 'orders', 0, batch)
  await produce(bootstrap, 'orders', 0, ['{"id": "c"}'])
  return batch
}

const GOOD = [0, 5, 9].map(offset => `orders-0-${offset}`)
const WRONG = [
  [1, 'InvalidUtf8', 'Parse'],
  [2, 'InvalidJson', 'Parse'],
  [3, 'MissingColumn', 'Lift'],
  [4, 'RecordTooLarge', 'Parse'],
  [6, 'CorruptBatch', 'Decompress']
] as const

/** The batch as the broker keeps it: offset and leader epoch are the broker's. */
function withoutBrokerFields(batch: Uint8Array): Buffer {
  const copy = Buffer.from(batch)
  copy.fill(0, 0, 8)
  copy.fill(0, 12, 16)
  return copy
}

test('policy Table keeps every undecodable record with its bytes, coordinates and reason', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  const fromMs = Date.now() - 1000
  const batch = await fill(bootstrap)
  const consumer = await workplace.start({ bootstrap, spec: spec('Table') })
  await consumer.until('the last record is in', async () => (await workplace.rows('bronze.orders')).length >= 3)
  assert.equal(await consumer.stop(), 0)

  assert.deepEqual(await workplace.keys('bronze.orders'), GOOD)
  const letters = await workplace.rows('bronze.dlq_orders')
  assert.deepEqual(
    letters.map(row => [row['_kafka_offset'], row['reason'], row['stage']]),
    WRONG
  )
  assert.deepEqual(
    letters.slice(0, 4).map(row => Buffer.from(row['value'] as Uint8Array)),
    VALUES.slice(1, 5)
  )
  const [first, , , , last] = letters
  assert.ok(first !== undefined && last !== undefined)
  assert.equal(Buffer.from(first['_kafka_key'] as Uint8Array).toString(), 'key-1')
  assert.equal(first['_kafka_topic'], 'orders')
  assert.equal(first['_kafka_last_offset'], 1)
  assert.equal(first['_ingestion_id'], 'orders-0-1')
  assert.equal(first['pipeline'], 'lake/shop')
  assert.equal(first['consumer_id'], 'consumer-0')
  for (const time of [first['_kafka_timestamp'], first['failed_at']]) {
    assert.ok(time instanceof Date && time.getTime() >= fromMs && time.getTime() <= Date.now())
  }
  assert.match(JSON.stringify(first['_kafka_headers']), /trace/)
  assert.equal(last['_kafka_last_offset'], 8)
  assert.deepEqual(withoutBrokerFields(last['value'] as Uint8Array), withoutBrokerFields(batch))
  const report = (await groupView(bootstrap, 'bronze.lake.shop')).offsets.get('orders-0')
  assert.equal(report?.offset, 10)
  assert.match(report?.metadata ?? '', /"dl":5/)
})

test('policy Topic sends them to a topic, with their coordinates as headers', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  broker.createTopic('orders.dlq')
  const batch = await fill(bootstrap)
  const consumer = await workplace.start({ bootstrap, spec: spec('Topic') })
  await consumer.until('the last record is in', async () => (await workplace.rows('bronze.orders')).length >= 3)
  assert.equal(await consumer.stop(), 0)

  assert.deepEqual(await workplace.keys('bronze.orders'), GOOD)
  const letters = await readTopic(bootstrap, 'orders.dlq', broker.endOffset('orders.dlq', 0))
  assert.deepEqual(
    letters.map(({ headers }) => [
      Number(headers['bronze-offset']),
      headers['bronze-reason'],
      headers['bronze-stage'],
      headers['bronze-id']
    ]),
    WRONG.map(([offset, reason, stage]) => [offset, reason, stage, `orders-0-${offset}`])
  )
  assert.deepEqual(
    letters.slice(0, 4).map(({ value }) => value),
    VALUES.slice(1, 5)
  )
  assert.equal(letters[0]?.headers['trace'], 'abc')
  assert.equal(letters[4]?.headers['bronze-last-offset'], '8')
  assert.deepEqual(withoutBrokerFields(letters[4]?.value ?? Buffer.alloc(0)), withoutBrokerFields(batch))
})

test('policy Inline keeps them as rows of the table, with the error and the bytes', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  const batch = await fill(bootstrap)
  const consumer = await workplace.start({ bootstrap, spec: spec('Inline') })
  await consumer.until('all is in', async () => (await workplace.rows('bronze.orders')).length >= 8)
  assert.equal(await consumer.stop(), 0)

  const rows = await workplace.rows('bronze.orders')
  assert.deepEqual(
    rows.map(row => [row['_kafka_offset'], String(row['_error']).split(':')[0]]),
    [
      [0, 'null'],
      ...WRONG.slice(0, 4).map(([offset, reason]) => [offset, reason]),
      [5, 'null'],
      [6, 'CorruptBatch'],
      [9, 'null']
    ]
  )
  const bad = rows.filter(row => typeof row['_error'] === 'string')
  assert.deepEqual(
    // What fits the value's own column is there.
    bad.slice(0, 4).map(row => Buffer.from((row['_error_value'] ?? row['value']) as Uint8Array | string)),
    VALUES.slice(1, 5)
  )
  assert.deepEqual(withoutBrokerFields(bad[4]?.['_error_value'] as Uint8Array), withoutBrokerFields(batch))
})

test('policy Stop ends with 78, says where and why, and goes on once the pipeline allows it', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  await produce(bootstrap, 'orders', 0, ['{"id": "a"}', '{"secret-content": '])
  const stopped = await workplace.start({ bootstrap, spec: spec('Stop') })
  assert.equal(await stopped.ended(), 78)
  const { reason, message } = await stopped.message()
  assert.equal(reason, 'DeadLetterStop')
  assert.match(message, /orders, partition 0, offset 1: InvalidJson.*spec\.deadLetters\.policy/)
  assert.doesNotMatch(message + (await stopped.log()), /secret-content/)

  const next = await workplace.start({ bootstrap, spec: spec('Table') })
  await next.until('the dead letter is in', async () => (await workplace.rows('bronze.dlq_orders')).length > 0)
  assert.equal(await next.stop(), 0)
  assert.deepEqual(await workplace.keys('bronze.orders'), span('orders', 0, 0, 1))
  assert.deepEqual(await workplace.keys('bronze.dlq_orders'), span('orders', 0, 1, 2))
})

interface Letter {
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

async function readTopic(bootstrap: string, topic: string, count: number): Promise<readonly Letter[]> {
  const client = new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING })
  const consumer = client.consumer({ groupId: 'reader' })
  const letters: Letter[] = []
  const { promise: read, resolve } = Promise.withResolvers<void>()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])
      letters.push({ value: message.value, headers: Object.fromEntries(headers) as Record<string, string> })
      if (letters.length === count) resolve()
    }
  })
  await read
  await consumer.disconnect()
  return letters
}
