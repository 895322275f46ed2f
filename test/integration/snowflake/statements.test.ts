import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertDeadLetters } from '../../../consumer/sinks/snowflake/sql/dead-letters.ts'
import { insertRows } from '../../../consumer/sinks/snowflake/sql/publish.ts'
import { countRefused, insertRefused, refusedCounts } from '../../../consumer/sinks/snowflake/sql/refused.ts'
import { inlineSource } from '../../../consumer/sinks/snowflake/sql/source.ts'
import { AUTHOR, NOW_MS } from '../../consumer/sinks/snowflake/sql/tables.ts'
import { need } from '../../servers/need.ts'
import type { Row } from '../../servers/snowflake-client.ts'
import { affected, connect, JSON_ORDERS, lines, open, order, plan, run, sourceOf } from './statements.ts'

const needed = need('snowflake')

const json = (row: Row | undefined, column: string): unknown => JSON.parse(row?.[column] ?? 'null') as unknown

for (const road of ['inline', 'stage'] as const) {
  test(`rows keep every type, and what Snowflake refuses is a dead letter (${road})`, needed, async () => {
    const session = await connect()
    const table = await open(session, plan(JSON_ORDERS))
    const rows = [
      order(0, '{"a":1}', {
        id: 9_007_199_254_740_991,
        price: 1_234_567_890_123.45,
        ratio: 'Infinity',
        paid: true,
        day: '1969-12-31'
      }),
      order(1, null, { ratio: 'NaN', _kafka_headers: null, _kafka_key: null }),
      order(2, 'null', { ratio: 1.5 }),
      order(3, '{"a":1,"a":2}'),
      order(4, "{'a"),
      order(5, '{}', { _kafka_timestamp: '292278994-08-17T07:12:55.000000Z' })
    ]
    const source = await sourceOf(session, table, 'rows', lines(rows), road)
    assert.equal(await affected(session, insertRows(table, source, [])), 3)
    assert.deepEqual(refusedCounts((await run(session, countRefused(table, source))).rows), [
      { topic: 'orders', partition: 0, refused: 3 }
    ])
    assert.equal(await affected(session, insertRefused(table, source, { author: AUTHOR, failedAtMs: NOW_MS })), 3)
    const { tableRef, deadLetterRef = '' } = table.objects
    const there = await session.rows(
      `SELECT _KAFKA_OFFSET, TO_VARCHAR(_KAFKA_TIMESTAMP) AS AT, HEX_ENCODE(_KAFKA_KEY) AS KEY, TO_JSON(_KAFKA_HEADERS) AS HEADERS,
         TO_JSON(VALUE) AS VALUE, ID, PRICE::VARCHAR AS PRICE, RATIO::VARCHAR AS RATIO, PAID, TO_VARCHAR(DAY) AS DAY
       FROM ${tableRef} ORDER BY _KAFKA_OFFSET`
    )
    assert.deepEqual(
      there.map(row => [row['_KAFKA_OFFSET'], row['VALUE'], row['KEY'], row['RATIO']?.toLowerCase()]),
      [
        ['0', '{"a":1}', '6B', 'inf'],
        ['1', null, null, 'nan'],
        ['2', 'null', '6B', '1.5']
      ]
    )
    assert.deepEqual(
      [there[0]?.['ID'], there[0]?.['PRICE'], there[0]?.['DAY']],
      ['9007199254740991', '1234567890123.45', '1969-12-31']
    )
    assert.match(there[0]?.['AT'] ?? '', /^2026-11-21 09:59:59/)
    assert.deepEqual([json(there[0], 'HEADERS'), there[1]?.['HEADERS']], [[{ key: 'source', value: 'shop' }], null])
    const letters = await session.rows(
      `SELECT TO_VARCHAR(FAILED_AT) AS AT, ERROR_MESSAGE, TO_JSON(RAW_PAYLOAD) AS PAYLOAD, TO_JSON(KAFKA_METADATA) AS METADATA
       FROM ${deadLetterRef} ORDER BY KAFKA_METADATA:offset::NUMBER`
    )
    assert.deepEqual(
      letters.map(row => [row['ERROR_MESSAGE'], json(row, 'PAYLOAD')]),
      [
        ['RefusedBySnowflake: VALUE is no JSON that Snowflake takes', '{"a":1,"a":2}'],
        ['RefusedBySnowflake: VALUE is no JSON that Snowflake takes', "{'a"],
        ['RefusedBySnowflake: _KAFKA_TIMESTAMP is no time that Snowflake takes', {}]
      ]
    )
    assert.match(letters[0]?.['AT'] ?? '', /^2026-11-21 10:00:05\.123/)
    assert.deepEqual(json(letters[0], 'METADATA'), {
      topic: 'orders',
      partition: 0,
      offset: 3,
      last_offset: 3,
      timestamp: '2026-11-21T09:59:59.000000Z',
      key: { base64: 'aw==' },
      headers: [{ key: 'source', value: 'shop' }],
      ingestion_id: 'orders-0-3',
      reason: 'RefusedBySnowflake',
      stage: 'Load',
      pipeline: 'commerce/commerce',
      consumer_id: 'commerce-0'
    })
  })

  test(`dead letters keep JSON as JSON, text as text and other bytes in base64 (${road})`, needed, async () => {
    const session = await connect()
    const table = await open(session, plan(JSON_ORDERS))
    const letter = (offset: number, value: string | object | null) => ({
      _kafka_topic: 'orders',
      _kafka_partition: 0,
      _kafka_offset: offset,
      _kafka_last_offset: offset + 1,
      _kafka_timestamp: null,
      _kafka_key: offset === 0 ? { base64: '/w==' } : offset === 1 ? 'k' : null,
      _kafka_headers: [{ key: 'h', value: { base64: '/w==' } }],
      value,
      _ingestion_id: `orders-0-${offset}`,
      failed_at: '2026-11-21T10:00:00.123000Z',
      reason: 'InvalidJson',
      stage: 'Parse',
      error: "no JSON at 1: it's",
      pipeline: 'lake/shop',
      consumer_id: 'shop-0'
    })
    const values = ['{"a":[1]}', '{"a"', { base64: '/wA=' }, '', null]
    const text = lines(values.map((value, at) => letter(at, value)))
    const source = await sourceOf(session, table, 'deadLetters', text, road)
    assert.equal(await affected(session, insertDeadLetters(table, source)), values.length)
    const rows = await session.rows(
      `SELECT ERROR_MESSAGE, TO_JSON(RAW_PAYLOAD) AS PAYLOAD, RAW_PAYLOAD IS NULL AS IS_NULL, TO_JSON(KAFKA_METADATA) AS METADATA
       FROM ${table.objects.deadLetterRef} ORDER BY KAFKA_METADATA:offset::NUMBER`
    )
    assert.deepEqual(
      rows.map(row => json(row, 'PAYLOAD')),
      [{ a: [1] }, '{"a"', { base64: '/wA=' }, '', null]
    )
    assert.equal(rows[0]?.['ERROR_MESSAGE'], "InvalidJson: no JSON at 1: it's")
    assert.deepEqual(json(rows[0], 'METADATA'), {
      topic: 'orders',
      partition: 0,
      offset: 0,
      last_offset: 1,
      key: { base64: '/w==' },
      headers: [{ key: 'h', value: { base64: '/w==' } }],
      ingestion_id: 'orders-0-0',
      reason: 'InvalidJson',
      stage: 'Parse',
      pipeline: 'lake/shop',
      consumer_id: 'shop-0'
    })
  })
}

test('policy Inline keeps the row and the value that Snowflake refuses', needed, async () => {
  const session = await connect()
  const table = await open(
    session,
    plan('topics: [{name: orders, table: SCHEMA.orders, format: Json}]\ndeadLetters: {policy: Inline}')
  )
  const rows = [order(0, '{}'), order(1, '{"é'), { ...order(2, null), _error: 'InvalidUtf8: x', _error_value: '/w==' }]
  assert.equal(await affected(session, insertRows(table, inlineSource(table, 'rows', [lines(rows)]), [])), 3)
  const there = await session.rows(
    `SELECT TO_JSON(VALUE) AS VALUE, _ERROR AS ERROR, HEX_ENCODE(_ERROR_VALUE) AS BYTES FROM ${table.objects.tableRef} ORDER BY _KAFKA_OFFSET`
  )
  assert.deepEqual(
    there.map(row => [row['VALUE'], row['ERROR'], row['BYTES']]),
    [
      ['{}', null, null],
      [
        null,
        'RefusedBySnowflake: VALUE is no JSON that Snowflake takes',
        Buffer.from('{"é').toString('hex').toUpperCase()
      ],
      [null, 'InvalidUtf8: x', 'FF']
    ]
  )
})

test('a table of others takes the rows that fit it; the others are dead letters and stop nothing', needed, async () => {
  const session = await connect()
  const planned = plan(`topics:
- name: orders
  table: SCHEMA.orders
  format: Json
  columns: [{name: kind, value: /kind}]`)
  const { schemaRef, tableRef } = planned.objects
  await session.query(`CREATE SCHEMA IF NOT EXISTS ${schemaRef}`)
  await session.query(
    `CREATE TABLE ${tableRef} (KIND VARCHAR(3) NOT NULL, _KAFKA_KEY BINARY(2), _KAFKA_TIMESTAMP TIMESTAMP_TZ, LOADED_BY VARCHAR)`
  )
  const table = await open(session, planned)
  const key = (text: string) => Buffer.from(text).toString('base64')
  const rows = [
    { ...order(0, '{}'), kind: 'abé', _kafka_key: key('kk') },
    { ...order(1, '{}'), kind: 'abcd' },
    { ...order(2, '{}'), kind: null },
    { ...order(3, '{}'), kind: 'a', _kafka_key: key('kkk') }
  ]
  const source = inlineSource(table, 'rows', [lines(rows)])
  assert.equal(await affected(session, insertRows(table, source, [])), 1)
  assert.equal(await affected(session, insertRefused(table, source, { author: AUTHOR, failedAtMs: NOW_MS })), 3)
  const [row] = await session.rows(
    `SELECT KIND, CONVERT_TIMEZONE('UTC', _KAFKA_TIMESTAMP)::VARCHAR AS AT FROM ${tableRef}`
  )
  assert.equal(row?.['KIND'], 'abé')
  assert.match(row?.['AT'] ?? '', /^2026-11-21 09:59:59/)
})
