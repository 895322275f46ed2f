import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { FileStore } from '../../../consumer/store/file.ts'
import { readByGlob, readCommitted, type ObjectRow } from '../../fakes/s3-sink-reader.ts'
import { brokerFor, numbered, produce } from './kafka.ts'
import { Workplace } from './workplace.ts'

async function landingFor(context: TestContext, settings: string, topic = '', batch = 'triggerInterval: 200ms') {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  broker.createTopic('orders', { partitions: 1 })
  const folder = join(workplace.folder, 'landing')
  return {
    broker,
    workplace,
    store: new FileStore(folder),
    pipeline: {
      bootstrap: broker.bootstrap,
      sink: `{s3: {location: "${pathToFileURL(folder).href}", ${settings}}}`,
      spec: `topics: [{name: orders, table: raw.orders, format: Json}]\n${topic}\nbatch: {${batch}}`
    }
  }
}

const offsetsOf = (rows: readonly ObjectRow[]): readonly number[] =>
  rows.map(row => Number(row['_kafka_offset'])).sort((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

test('a consumer lands lines for globs, payloads as the JSON they are, and another one goes on', async context => {
  const value = 'metadataColumns: [{source: Value, name: payload, type: Variant}]'
  const { broker, workplace, store, pipeline } = await landingFor(context, 'layout: Glob, format: Ndjson', value)
  await produce(broker.bootstrap, 'orders', 0, ['{"a": [1, {"b": "ü\\n"}], "n": 1.50}', '{"broken":'])
  const consumer = await (await workplace.start(pipeline)).ready()
  await consumer.until('the row is there', async () => (await readByGlob(store, 'raw.orders')).length === 1)
  await consumer.kill()
  const [row] = await readByGlob(store, 'raw.orders')
  assert.deepEqual(row?.['payload'], { a: [1, { b: 'ü\n' }], n: 1.5 })
  assert.equal(row?.['_kafka_offset'], 0)

  await produce(broker.bootstrap, 'orders', 0, numbered(20, 2))
  const next = await workplace.start(pipeline)
  await next.until('all is there', async () => (await readByGlob(store, 'raw.orders')).length === 21)
  assert.equal(await next.stop(), 0)
  assert.deepEqual(offsetsOf(await readByGlob(store, 'raw.orders')), [0, ...upTo(20).map(offset => offset + 2)])
  const letters = await readByGlob(store, 'raw.dlq_orders')
  assert.deepEqual(offsetsOf(letters), [1])
  assert.equal(letters[0]?.['reason'], 'InvalidJson')
  assert.equal(Buffer.from(String(letters[0]?.['value']), 'base64').toString(), '{"broken":')
})

test('records that wait for their commit when the consumer is told to stop are committed', async context => {
  const { broker, workplace, store, pipeline } = await landingFor(
    context,
    'format: Parquet',
    '',
    'maxRecords: 100, triggerInterval: 1h'
  )
  await produce(broker.bootstrap, 'orders', 0, numbered(99))
  const consumer = await (await workplace.start(pipeline)).ready()
  const isRead = async () => /bronze_fetch_lag_records\{.*\} 0\n/.test(await consumer.text('/metrics'))
  await consumer.until('all is read', isRead)
  const isHeld = async () => !(await consumer.text('/metrics')).includes('bronze_buffer_bytes 0\n')
  await consumer.until('all is held', isHeld)
  assert.deepEqual((await readCommitted(store, 'raw.orders')).rows, [])
  assert.equal(await consumer.stop(), 0)
  assert.deepEqual(offsetsOf((await readCommitted(store, 'raw.orders')).rows), upTo(99))
})
