import assert from 'node:assert/strict'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { brokerFor, produce } from './kafka.ts'
import { Workplace } from './workplace.ts'

const spec = (isRequired: boolean) => `topics:
- name: orders
  table: bronze.orders
  format: Json
  columns: [{name: id, value: /id, type: String, required: ${isRequired}}]
batch: {triggerInterval: 200ms}`

const VALUES = ['{"id": "a"}', '{"other": 1}', '{"id": "b"}', '{']

/**
 * Ends a consumer after the main commit and before its dead letters are published: the next entry of the dead-letter
 * table's log is a folder, which no publishing gets past.
 */
async function crashBeforePublishing(context: TestContext, isRequired: boolean) {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  const first = await (await workplace.start({ bootstrap, spec: spec(isRequired) })).ready()
  // Not before it has opened both tables: it would meet the obstacle on its way.
  await first.until('the tables are open', async () => (await first.log()).includes('"recovered"'))
  const obstacle = join(workplace.folder, 'tables/bronze/dlq_orders/_delta_log/00000000000000000001.json')
  await mkdir(obstacle)
  await produce(bootstrap, 'orders', 0, VALUES)
  assert.equal(await first.ended(), 78)
  await rm(obstacle, { recursive: true })
  assert.deepEqual(await workplace.keys('bronze.dlq_orders'), [])
  return { bootstrap, workplace }
}

async function goOn(bootstrap: string, workplace: Workplace, isRequired: boolean): Promise<void> {
  await produce(bootstrap, 'orders', 0, VALUES)
  const next = await workplace.start({ bootstrap, spec: spec(isRequired) })
  const count = async () =>
    (await workplace.rows('bronze.orders')).length + (await workplace.rows('bronze.dlq_orders')).length
  await next.until('all is in', async () => (await count()) >= 8)
  assert.equal(await next.stop(), 0)
}

test('what a main commit judged bad stays so after a crash, though a laxer decoder would take it now', async context => {
  const { bootstrap, workplace } = await crashBeforePublishing(context, true)
  assert.deepEqual(await workplace.keys('bronze.orders'), ['orders-0-0', 'orders-0-2'])
  await goOn(bootstrap, workplace, false)
  assert.deepEqual(
    await workplace.keys('bronze.orders'),
    [0, 2, 4, 5, 6].map(offset => `orders-0-${offset}`)
  )
  assert.deepEqual(
    await workplace.keys('bronze.dlq_orders'),
    [1, 3, 7].map(offset => `orders-0-${offset}`)
  )
})

test('what a main commit took stays taken after a crash, though a stricter decoder would refuse it now', async context => {
  const { bootstrap, workplace } = await crashBeforePublishing(context, false)
  assert.deepEqual(
    await workplace.keys('bronze.orders'),
    [0, 1, 2].map(offset => `orders-0-${offset}`)
  )
  await goOn(bootstrap, workplace, true)
  assert.deepEqual(
    await workplace.keys('bronze.orders'),
    [0, 1, 2, 4, 6].map(offset => `orders-0-${offset}`)
  )
  assert.deepEqual(
    await workplace.keys('bronze.dlq_orders'),
    [3, 5, 7].map(offset => `orders-0-${offset}`)
  )
})
