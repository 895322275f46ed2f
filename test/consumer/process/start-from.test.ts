import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerFor, numbered, produce } from './kafka.ts'
import { Workplace, span } from './workplace.ts'

const spec = (triggerInterval: string) => `topics:
- {name: orders, table: bronze.orders}
- {name: late, pattern: 'late\\..*', table: bronze.late}
batch: {triggerInterval: ${triggerInterval}}`

test('Latest is pinned before the first fetch: what comes while the consumer is dead is not lost', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders', { partitions: 2 })
  broker.createTopic('late.a')
  await produce(bootstrap, 'orders', 0, numbered(10))
  await produce(bootstrap, 'late.a', 0, numbered(10))
  const source = 'startFrom: {position: Latest}'

  const first = await workplace.start({ bootstrap, source, spec: spec('1h') })
  const isPinned = async () =>
    (await workplace.logHas('bronze.orders', '"txn"')) && (await workplace.logHas('bronze.late', '"txn"'))
  await first.until('the beginnings are pinned', isPinned)
  await first.kill()
  await produce(bootstrap, 'orders', 0, numbered(5))
  await produce(bootstrap, 'orders', 1, numbered(3))
  await produce(bootstrap, 'late.a', 0, numbered(2))
  // These appear after the tables began: from their log start, whatever startFrom says.
  broker.addPartitions('orders', 3)
  await produce(bootstrap, 'orders', 2, numbered(4))
  broker.createTopic('late.b')
  await produce(bootstrap, 'late.b', 0, numbered(6))

  const second = await workplace.start({ bootstrap, source, spec: spec('200ms') })
  const count = async () =>
    (await workplace.rows('bronze.orders')).length + (await workplace.rows('bronze.late')).length
  await second.until('all is in the tables', async () => (await count()) >= 20)
  assert.equal(await second.stop(), 0)

  assert.deepEqual(await workplace.keys('bronze.orders'), [
    ...span('orders', 0, 10, 15),
    ...span('orders', 1, 0, 3),
    ...span('orders', 2, 0, 4)
  ])
  assert.deepEqual(await workplace.keys('bronze.late'), [...span('late.a', 0, 10, 12), ...span('late.b', 0, 0, 6)])
})
