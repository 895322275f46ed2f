import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerFor, produce } from './kafka.ts'
import { Workplace } from './workplace.ts'

const spec = (schema: string, more = '') => `topics:
- name: orders
  table: bronze.orders
  format: Json
  schema: {${schema}}
${more}
batch: {triggerInterval: 100ms}`

test('columns inferred before a restart decide what numbers are after it', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  const options = { bootstrap, spec: spec('mode: Inferred, onIncompatible: NewColumn') }
  broker.createTopic('orders')
  const count = async () => (await workplace.rows('bronze.orders')).length
  await produce(bootstrap, 'orders', 0, ['{"price": 1.5, "tags": ["a"]}', '{"id": 9007199254740993, "o": {"n": 1}}'])
  const first = await workplace.start(options)
  await first.until('the first rows are in', async () => (await count()) === 2)
  assert.equal(await first.stop(), 0)
  await produce(bootstrap, 'orders', 0, [
    '{"price": 2, "tags": [], "id": 1.0}',
    '{"price": "free", "o": {"n": 2.5, "new": true}}',
    '[1]'
  ])
  const second = await workplace.start(options)
  await second.until('the others are in', async () => (await count()) === 4)
  assert.equal(await second.stop(), 0)
  const names = ['price', 'price_string', 'tags', 'id', 'o']
  assert.deepEqual(
    (await workplace.rows('bronze.orders')).map(row => names.map(name => row[name] ?? null)),
    [
      [1.5, null, ['a'], null, null],
      [null, null, null, 9007199254740993n, { n: 1n }],
      [2, null, [], 1, null],
      [null, 'free', null, null, { n: null, n_double: 2.5, new: true }]
    ]
  )
  const [letter] = await workplace.rows('bronze.dlq_orders')
  assert.equal(letter?.['reason'], 'NotAnObject')
})

test('declared columns that do not fit are null, and their names are kept', async context => {
  const [broker, workplace] = [await brokerFor(context), await Workplace.open(context)]
  const { bootstrap } = broker
  broker.createTopic('orders')
  await produce(bootstrap, 'orders', 0, ['{"price": 12.5, "day": "2024-02-29"}', '{"price": 0.001, "day": "soon"}'])
  const columns = `  columns:
  - {name: price, value: /price, type: Decimal, precision: 8, scale: 2}
  - {name: day, value: /day, type: Date}`
  const consumer = await workplace.start({ bootstrap, spec: spec('mode: Declared, onMismatch: SetNull', columns) })
  await consumer.until('the rows are in', async () => (await workplace.rows('bronze.orders')).length === 2)
  assert.equal(await consumer.stop(), 0)
  assert.deepEqual(
    (await workplace.rows('bronze.orders')).map(({ price, day, _mismatch }) => [price, day, _mismatch]),
    [
      [12.5, new Date('2024-02-29'), null],
      [null, null, 'price,day']
    ]
  )
})
