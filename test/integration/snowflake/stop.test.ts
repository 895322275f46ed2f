// What the owners of commerce and flowguard are promised when something goes wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { owner, type Owner } from './owners.ts'

const needed = { ...need('kafka', 'snowflake'), timeout: 400_000 }
const ORDERS = 'BRONZE.ORDERS_RAW'

test('SIGTERM with 99 records held loses none', needed, async context => {
  // An hour: nothing but the stop can have committed them.
  const owned = await owner(context, 'commerce', text => text.replace('triggerInterval: 5s', 'triggerInterval: 1h'))
  await owned.produce(owned.orders, orders(0, 100))
  const { stop, metric } = await owned.run(owned.orders)
  await owned.until('the first hundred are in', async () => (await owned.count(ORDERS)) === 100)
  await owned.until('nothing is held', async () => (await metric('bronze_buffer_bytes')) === 0)
  await owned.produce(owned.orders, orders(100, 99))
  await owned.until('99 are held', async () => (await metric('bronze_buffer_bytes')) > 0)
  assert.equal(await owned.count(ORDERS), 100)
  await stop()
  assert.equal(await owned.count(ORDERS), 199)
  assert.deepEqual(await distinct(owned), 199)
})

test('events that are not JSON lie in the dead letters by the same commit, and stop nothing', needed, async context => {
  const owned = await owner(context, 'flowguard', text => text.replace('triggerInterval: 1m', 'triggerInterval: 1s'))
  const events = [
    '{"event_type":"a","schema_version":"1"}',
    '{"event_type":',
    '{"event_type":"b","more":[1,{"x":null}]}'
  ]
  const headers = { 'producer-service': 'shop' }
  await owned.produce(
    owned.orders,
    events.map(value => ({ value, headers }))
  )
  await owned.bronze('run', '--until-caught-up', '--topic', 'orders')
  const rows = await owned.session.rows(
    `SELECT EVENT_TYPE, SCHEMA_VERSION, PRODUCER_SERVICE, INGESTION_ID = SOURCE_TOPIC || '-' || KAFKA_PARTITION || '-' || KAFKA_OFFSET AS SAME,
       KAFKA_OFFSET, RAW_EVENT FROM BRONZE.ORDERS ORDER BY KAFKA_OFFSET`
  )
  const [first = '', , last = ''] = events
  assert.deepEqual(
    rows.map(row => Object.values(row)),
    [
      ['a', '1', 'shop', '1', '0', first],
      ['b', null, 'shop', '1', '2', last]
    ]
  )
  const dead = await owned.session.rows(
    'SELECT ERROR_MESSAGE, RAW_PAYLOAD::VARCHAR AS PAYLOAD, KAFKA_METADATA:"offset"::NUMBER AS AT FROM BRONZE.ORDERS_DLQ'
  )
  assert.deepEqual(
    dead.map(({ PAYLOAD, AT }) => [PAYLOAD, AT]),
    [[events[1], '1']]
  )
  assert.match(dead[0]?.['ERROR_MESSAGE'] ?? '', /JSON/)
  const commits = await owned.session.rows(
    'SELECT COMMIT_ID, RECORDS, DEAD_LETTERS FROM BRONZE.ORDERS_BRONZE_COMMITS WHERE RECORDS > 0'
  )
  assert.deepEqual(
    commits.map(({ RECORDS, DEAD_LETTERS }) => [RECORDS, DEAD_LETTERS]),
    [['2', '1']]
  )
})

test('new fields of events need no change', needed, async context => {
  const owned = await owner(context, 'commerce')
  const before = '{"order_id":"1","user_id":"u"}'
  const after = '{"order_id":2,"user_id":{"id":7},"coupon":{"code":"X","share":0.1},"user_id_v2":"w"}'
  await owned.produce(owned.orders, [before])
  await owned.bronze('run', '--until-caught-up', '--topic', owned.orders)
  const columns = await owned.columns(ORDERS)
  await owned.produce(owned.orders, [after])
  await owned.bronze('run', '--until-caught-up', '--topic', owned.orders)
  assert.deepEqual(await owned.columns(ORDERS), columns)
  const rows = await owned.session.rows(
    `SELECT ORDER_ID, USER_ID, RAW_EVENT:coupon.code::VARCHAR AS CODE, RAW_EVENT:"user_id_v2"::VARCHAR AS V2 FROM ${ORDERS} ORDER BY ORDER_ID`
  )
  assert.deepEqual(
    rows.map(row => Object.values(row)),
    [
      ['1', 'u', null, null],
      ['2', '{"id":7}', 'X', 'w']
    ]
  )
})

test('a connection that is lost is made again', needed, async context => {
  const owned = await owner(context, 'commerce')
  await owned.produce(owned.orders, orders(0, 100))
  const { stop } = await owned.run(owned.orders)
  await owned.until('the first hundred are in', async () => (await owned.count(ORDERS)) === 100)
  await owned.snowflake.kill()
  await owned.produce(owned.orders, orders(100, 100))
  await owned.snowflake.restart()
  const again = await owned.snowflake.connect({ database: 'COMMERCE' })
  const counted = async () =>
    Number((await again.rows(`SELECT COUNT(DISTINCT ORDER_ID) AS N FROM ${ORDERS}`))[0]?.['N'])
  await owned.until('the second hundred are in', async () => (await counted()) === 200)
  await stop()
  assert.deepEqual(await again.rows(`SELECT COUNT(*) AS N FROM ${ORDERS}`), [{ N: '200' }])
})

const orders = (first: number, count: number) =>
  Array.from({ length: count }, (_, at) => JSON.stringify({ order_id: `o${first + at}` }))

async function distinct(owned: Owner): Promise<number> {
  const [row] = await owned.session.rows(`SELECT COUNT(DISTINCT ORDER_ID) AS N FROM ${ORDERS}`)
  return Number(row?.['N'])
}
