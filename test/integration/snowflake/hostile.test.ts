// Records that try to be more than data, and secrets that must not be seen, through a real consumer.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { Kafka, logLevel, type Message } from 'kafkajs'
import { brokerFor } from '../../consumer/process/kafka.ts'
import { Workplace } from '../../consumer/process/workplace.ts'
import { need } from '../../servers/need.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'

const needed = { ...need('snowflake'), timeout: 400_000 }

const QUOTES = `'; DROP TABLE T; -- " /* */ $$ \\' \\\\ ? :1 @stage {} []`
const VALUES: readonly (string | Buffer | null)[] = [
  JSON.stringify({ id: 1, text: QUOTES, [QUOTES]: QUOTES }),
  '{"id":2,"text":"a\\u0000b","more":"\\u0000"}',
  '{"id":3,"text":"\\ud800","more":"\\udc00\\ud800"}',
  '{"id":4,"text":"x","text":"y"}',
  '{"id":5,"text":1234567890123456789012345678901234567890.12345678901234567890,"amount":12345678901234567890123456789012345678}',
  '{"id":6,"text":1e400,"amount":1e-400}',
  '{"id":9223372036854775807,"amount":-99999999999999999999999999999999999999}',
  '{"id":7,"text":"","at":"9999-12-31T23:59:59.999999Z"}',
  '{"id":8,"at":"0001-01-01T00:00:00Z"}',
  '{"id":9,"at":"1969-12-31T23:59:59.999999Z"}',
  `{"id":10,"text":${'['.repeat(400)}${']'.repeat(400)}}`,
  `{"id":11,"deep":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  'null',
  '"text"',
  '12345678901234567890123456789012345678901234567890',
  '[]',
  '{}',
  '',
  'NaN',
  '{"id":12,"text":NaN}',
  Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.from([0, 1, 2, 0xff]),
  Buffer.from('\u{feff}{"id":13}'),
  null,
  '{"id":14,"text":"\u2028\u2029\u{1f600}"}',
  `{"id":15,"text":"line\\nbreak\\r\\t\\u001f"}\n`
]
const KEYS: readonly (Buffer | string | null)[] = [
  null,
  '',
  QUOTES,
  Buffer.from([0, 0xff, 0xc0]),
  '{"base64":"x"}',
  '\0'
]

async function consumed(
  context: TestContext,
  { mode, spec, more }: { readonly mode: string; readonly spec: string; readonly more: readonly Message[] }
) {
  const [broker, workplace, snowflake] = [
    await brokerFor(context),
    await Workplace.open(context),
    await sharedSnowflake()
  ]
  broker.createTopic('orders', { partitions: 1 })
  const producer = new Kafka({ clientId: 'test', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  context.after(async () => await producer.disconnect())
  const messages = VALUES.map((value, index) => ({
    key: KEYS[index % KEYS.length] ?? null,
    value,
    headers: { [QUOTES]: QUOTES, bytes: Buffer.from([0xff, 0, 0xfe]), empty: '' }
  }))
  await producer.send({ topic: 'orders', messages })
  for (const message of more) await producer.send({ topic: 'orders', messages: [message] })
  await workplace.secret('snowflake', { user: snowflake.user, password: snowflake.password })
  const schema = `H_${randomUUID().slice(0, 8)}`
  const { account, url, database, warehouse } = snowflake
  const place = `account: ${account}, url: '${url}', database: ${database}, schema: ${schema}, warehouse: ${warehouse}, mode: ${mode}`
  const consumer = await workplace.start({
    bootstrap: broker.bootstrap,
    sink: `{snowflake: {${place}, authentication: Password, credentialsSecretRef: {name: snowflake}}}`,
    spec,
    source: 'startFrom: {position: Earliest}'
  })
  const session = await snowflake.connect({ database, parameters: { TIMEZONE: 'UTC' } })
  context.after(async () => await session.close())
  const count = messages.length + more.length
  const offset = async () => {
    const rows = await session.rows(`SELECT MAX(NEXT_OFFSET) AS N FROM ${schema}.ORDERS_BRONZE_OFFSETS`).catch(() => [])
    return Number(rows[0]?.['N'] ?? 0)
  }
  await consumer.until('all is in', async () => (await offset()) === count)
  assert.equal(await consumer.stop(), 0)
  const log = await consumer.log()
  assert.ok(!log.includes(snowflake.password))
  assert.doesNotMatch(log, /DROP TABLE/)
  return { session, schema }
}

const COLUMNS = `columns: [{name: id, value: /id, type: Long}, {name: text, value: /text},
    {name: amount, value: /amount, type: Decimal, precision: 38, scale: 0}, {name: at, value: /at, type: Timestamp}]`

/** Of the values above: what we refuse ourselves, or Snowflake does. */
const DEAD = [2, 3, 5, 11, 17, 18, 19, 20, 21, 22]
const LARGE = JSON.stringify({ id: 99, text: 'x', blob: 'y'.repeat(15 << 20) })

/** With a large record all of its commit goes by the stage. */
for (const [mode, more] of [
  ['Transaction', []],
  ['Merge', [LARGE]]
] as const) {
  test(`hostile records are data and nothing else in mode ${mode}`, needed, async context => {
    const { session, schema } = await consumed(context, {
      mode,
      spec: `topics: [{name: orders, table: orders, format: Json, maxRecordBytes: 16Mi, ${COLUMNS}}]\nbatch: {triggerInterval: 2s}`,
      more: more.map(value => ({ value }))
    })
    const rows = await session.rows(
      `SELECT _KAFKA_OFFSET AS O, ID, TEXT, AMOUNT, AT::VARCHAR AS AT, VALUE, _KAFKA_KEY AS K,
         _KAFKA_HEADERS:"0".value::VARCHAR AS HEADER FROM ${schema}.ORDERS ORDER BY 1`
    )
    const all = [...VALUES, ...more]
    const good = all.flatMap((value, offset) => (DEAD.includes(offset) ? [] : [{ value, offset }]))
    assert.deepEqual(
      rows.map(({ O }) => Number(O)),
      good.map(({ offset }) => offset)
    )
    const row = (offset: number) => rows.find(({ O }) => Number(O) === offset) ?? {}
    assert.equal(row(0)['TEXT'], QUOTES)
    assert.equal(JSON.parse(row(0)['VALUE'] ?? '')[QUOTES], QUOTES)
    assert.equal(row(1)['TEXT'], 'a\0b')
    assert.equal(row(4)['TEXT'], '1234567890123456789012345678901234567890.12345678901234567890')
    assert.deepEqual(
      [4, 6].map(offset => row(offset)['AMOUNT']),
      ['12345678901234567890123456789012345678', '-99999999999999999999999999999999999999']
    )
    assert.deepEqual(
      [7, 8, 9].map(offset => row(offset)['AT']),
      ['9999-12-31 23:59:59.999999', '0001-01-01 00:00:00', '1969-12-31 23:59:59.999999']
    )
    assert.equal(row(14)['VALUE'], String(VALUES[14]))
    assert.deepEqual([row(12)['VALUE'], row(23)['VALUE']], ['null', null])
    for (const { offset } of good.filter(each => each.offset < VALUES.length)) {
      const key = KEYS[offset % KEYS.length] ?? null
      assert.equal(
        row(offset)['K'],
        key === null ? null : Buffer.from(key).toString('hex').toUpperCase(),
        `key of ${offset}`
      )
    }
    if (more.length > 0) assert.equal(JSON.parse(row(26)['VALUE'] ?? '').blob.length, 15 << 20)
    const dead = await session.rows(
      `SELECT KAFKA_METADATA:"offset"::NUMBER AS O, RAW_PAYLOAD AS P FROM ${schema}.DLQ_ORDERS ORDER BY 1`
    )
    assert.deepEqual(
      dead.map(({ O }) => Number(O)),
      DEAD
    )
    assert.deepEqual(JSON.parse(dead[0]?.['P'] ?? ''), VALUES[2])
    assert.deepEqual(JSON.parse(dead.at(-2)?.['P'] ?? ''), { base64: 'AAEC/w==' })
  })
}
