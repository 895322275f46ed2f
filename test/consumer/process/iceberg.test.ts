import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { FileStore } from '../../../consumer/store/file.ts'
import { readIcebergRows } from '../../fakes/iceberg-reader.ts'
import { startCatalogServer } from '../../fakes/iceberg-rest-server.ts'
import { brokerFor, numbered, produce } from './kafka.ts'
import { Workplace } from './workplace.ts'

async function lakeFor(context: TestContext) {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const server = await startCatalogServer(pathToFileURL(join(workplace.folder, 'lake')).href)
  context.after(() => server.close())
  broker.createTopic('orders', { partitions: 1 })
  const store = new FileStore('/')
  return {
    broker,
    workplace,
    server,
    pipeline: {
      bootstrap: broker.bootstrap,
      sink: `{iceberg: {catalog: {uri: "${server.uri}"}, partitionBy: [{source: Timestamp, transform: Hour}]}}`,
      spec: 'topics: [{name: orders, table: lake.orders, format: Json}]\nbatch: {triggerInterval: 200ms}'
    },
    offsets: async (table: string) => {
      const read = async (uri: string) => await store.get(uri.replace('file:///', ''))
      const { rows } = await readIcebergRows(server.catalog.tables.get(table), read)
      return rows.map(row => Number(row['_kafka_offset'])).sort((a, b) => a - b)
    }
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

test('a consumer fills Iceberg tables through a catalog, outlasts its absence, and another one reads on', async context => {
  const { broker, workplace, server, pipeline, offsets } = await lakeFor(context)
  await produce(broker.bootstrap, 'orders', 0, numbered(20))
  const consumer = await (await workplace.start(pipeline)).ready()
  await consumer.until('all is in the table', async () => (await offsets('lake.orders')).length === 20)

  server.refuseWith = 503
  await produce(broker.bootstrap, 'orders', 0, [...numbered(5, 20), '{"broken":'])
  await consumer.until('trouble is told', async () => (await consumer.log()).includes('the catalog answers HTTP 503'))
  server.refuseWith = undefined
  await consumer.until('all is in the table', async () => (await offsets('lake.orders')).length === 25)
  assert.equal(await consumer.stop(), 0)
  assert.deepEqual(await offsets('lake.orders'), upTo(25))
  assert.deepEqual(await offsets('lake.dlq_orders'), [25])

  await produce(broker.bootstrap, 'orders', 0, numbered(4, 26))
  const next = await workplace.start({ ...pipeline, instance: 'consumer-1' })
  await next.until('it reads on', async () => (await offsets('lake.orders')).length === 29)
  assert.equal(await next.stop(), 0)
})

test('a catalog that does not know us ends the consumer with the field to mend', async context => {
  const { workplace, server, pipeline } = await lakeFor(context)
  server.refuseWith = 401
  const consumer = await workplace.start(pipeline)
  assert.equal(await consumer.ended(), 78)
  const { reason, message } = await consumer.message()
  assert.equal(reason, 'CatalogAuthenticationFailed')
  assert.match(message, /spec\.sink\.iceberg\.catalog\.credentialsSecretRef/)
})
