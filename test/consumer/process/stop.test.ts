import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerFor, groupView, numbered, produce } from './kafka.ts'
import { Workplace, span } from './workplace.ts'

const GROUP = 'bronze.lake.shop'

test('a consumer that is told to stop commits what it holds, leaves its group and exits with 0', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  broker.createTopic('orders', { partitions: 2 })
  await produce(broker.bootstrap, 'orders', 0, numbered(50))
  await produce(broker.bootstrap, 'orders', 1, numbered(30))
  const pipeline = {
    bootstrap: broker.bootstrap,
    spec: 'topics: [{name: orders, table: bronze.orders, format: Json}]\nbatch: {triggerInterval: 1h}'
  }
  const consumer = await (await workplace.start(pipeline)).ready()
  const isHeld = async () => /bronze_fetch_lag_records\{.*\} 0\n.*\} 0\n/.test(await consumer.text('/metrics'))
  await consumer.until('all is read', isHeld)
  await consumer.until(
    'all is held',
    async () => !(await consumer.text('/metrics')).includes('bronze_buffer_bytes 0\n')
  )
  assert.deepEqual(await workplace.keys('bronze.orders'), [])
  assert.equal((await groupView(broker.bootstrap, GROUP)).members, 1)

  assert.equal(await consumer.stop(), 0)

  assert.deepEqual(await workplace.keys('bronze.orders'), [...span('orders', 0, 0, 50), ...span('orders', 1, 0, 30)])
  const group = await groupView(broker.bootstrap, GROUP)
  // A static member that only went away would stay until its session ends.
  assert.equal(group.members, 0)
  assert.deepEqual([group.offsets.get('orders-0')?.offset, group.offsets.get('orders-1')?.offset], [50, 30])

  await produce(broker.bootstrap, 'orders', 1, numbered(1, 30))
  const next = await workplace.start({ ...pipeline, instance: 'consumer-1' })
  await next.ready()
  await next.until('it reads on', async () => (await next.text('/metrics')).includes('partition="1"} 0'))
  assert.equal(await next.stop(), 0)
  assert.deepEqual(await workplace.keys('bronze.orders'), [...span('orders', 0, 0, 50), ...span('orders', 1, 0, 31)])
})
