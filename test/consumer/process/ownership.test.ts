import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerFor, numbered, produce } from './kafka.ts'
import { Workplace, span } from './workplace.ts'

const spec = 'topics: [{name: orders, table: bronze.orders}]\nbatch: {triggerInterval: 100ms}'

test('of two pipelines that fill one table from one topic the younger stops, and nothing is lost or doubled', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders', { partitions: 2 })
  const [older, younger] = await Promise.all([
    workplace.start({ bootstrap, spec, name: 'older', createdAt: '2026-01-01T00:00:00Z' }),
    workplace.start({ bootstrap, spec, name: 'younger', createdAt: '2026-01-02T00:00:00Z' })
  ])
  await Promise.all([older.ready(), younger.ready()])
  let produced = 0
  await older.until('the younger stops', async () => {
    if (!younger.process.isRunning()) return true
    for (const partition of [0, 1]) await produce(bootstrap, 'orders', partition, numbered(10, produced))
    produced += 10
    return false
  })
  assert.equal(await younger.ended(), 78)
  const { reason, message } = await younger.message()
  assert.equal(reason, 'TableOwnedByOther')
  assert.match(message, /bronze\.orders.*lake\/older.*spec\.topics\[\]\.table/)

  for (const partition of [0, 1]) await produce(bootstrap, 'orders', partition, numbered(5, produced))
  const total = 2 * (produced + 5)
  await older.until('the older has all', async () => (await workplace.rows('bronze.orders')).length >= total)
  assert.equal(await older.stop(), 0)
  const all = [0, 1].flatMap(partition => span('orders', partition, 0, produced + 5))
  assert.deepEqual(await workplace.keys('bronze.orders'), all)
})

test('a pipeline that was renamed, or created anew, goes on where its table is', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  const lives = [
    { name: 'shop', createdAt: '2026-01-01T00:00:00Z' },
    { name: 'store', createdAt: '2026-01-02T00:00:00Z', source: 'startFrom: {position: Latest}' },
    { name: 'shop', createdAt: '2026-01-03T00:00:00Z' }
  ]
  for (const [index, life] of lives.entries()) {
    await produce(bootstrap, 'orders', 0, numbered(10))
    const consumer = await workplace.start({ bootstrap, spec, ...life })
    const hasAll = async () => (await workplace.rows('bronze.orders')).length >= 10 * (index + 1)
    await consumer.until('all so far is in', hasAll)
    assert.equal(await consumer.stop(), 0)
  }
  assert.deepEqual(await workplace.keys('bronze.orders'), span('orders', 0, 0, 30))
})

test('of two processes under one name the older ends with 78 instead of fighting for ever', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  const first = await (await workplace.start({ bootstrap, spec })).ready()
  const second = await (await workplace.start({ bootstrap, spec })).ready()
  await produce(bootstrap, 'orders', 0, numbered(20))
  assert.equal(await first.ended(), 78)
  assert.equal((await first.message()).reason, 'InstanceFenced')
  await second.until('all is in', async () => (await workplace.rows('bronze.orders')).length >= 20)
  assert.equal(await second.stop(), 0)
  assert.deepEqual(await workplace.keys('bronze.orders'), span('orders', 0, 0, 20))
})
