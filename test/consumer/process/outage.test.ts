import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import { freePorts } from '../../servers/process.ts'
import { numbered, produce } from './kafka.ts'
import { Workplace, span } from './workplace.ts'

test('a broker that is down at the start and goes away in the middle is waited for', async context => {
  const workplace = await Workplace.open(context)
  const [port = 0] = await freePorts(1)
  const options = { port, folder: join(workplace.folder, 'broker') }
  let broker = await startBroker(options)
  const { bootstrap } = broker
  context.after(() => broker.stop())
  broker.createTopic('orders', { partitions: 2 })
  await produce(bootstrap, 'orders', 0, numbered(10))
  await broker.stop()

  const spec = 'topics: [{name: orders, table: bronze.orders}]\nbatch: {triggerInterval: 1s}'
  const consumer = await workplace.start({ bootstrap, spec })
  await consumer.until('it tells of the source', async () => (await consumer.log()).includes('source could not be'))
  assert.equal(await consumer.status('/readyz'), 503)
  assert.equal(await consumer.status('/livez'), 200)

  broker = await startBroker(options)
  const has = async (rows: number) => (await workplace.rows('bronze.orders')).length >= rows
  await consumer.until('what was there is in', () => has(10))
  await produce(bootstrap, 'orders', 0, numbered(5, 10))
  // Records are held, and the group is forgotten with the broker's memory.
  await consumer.until('more is read', async () => /partition="0"\} 0/.test(await consumer.text('/metrics')))
  await broker.stop()
  await consumer.until('the held are in all the same', () => has(15))
  broker = await startBroker(options)
  await produce(bootstrap, 'orders', 1, numbered(5))
  await consumer.until('it reads on', () => has(20))
  assert.equal(await consumer.stop(), 0)
  assert.deepEqual(await workplace.keys('bronze.orders'), [...span('orders', 0, 0, 15), ...span('orders', 1, 0, 5)])
})

test('a consumer ends with 0 when it is told to stop while the broker is down, before and after it was a member', async context => {
  const workplace = await Workplace.open(context)
  const [port = 0] = await freePorts(1)
  const bootstrap = `127.0.0.1:${port}`
  const spec = 'topics: [{name: orders, table: bronze.orders}]\nbatch: {triggerInterval: 1h}'
  const early = await workplace.start({ bootstrap, spec })
  await early.until('it tells of the source', async () => (await early.log()).includes('source could not be'))
  assert.equal(await early.stop(), 0)

  const broker = await startBroker({ port })
  broker.createTopic('orders')
  await produce(bootstrap, 'orders', 0, numbered(5))
  const late = await (await workplace.start({ bootstrap, spec })).ready()
  await late.until('records are held', async () => /partition="0"\} 0/.test(await late.text('/metrics')))
  await broker.stop()
  assert.equal(await late.stop(), 0)
  assert.deepEqual(await workplace.keys('bronze.orders'), span('orders', 0, 0, 5))
})
