import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'

const sql = readFileSync(new URL('../../deploy/examples/clickstream-silver-gold.sql', import.meta.url), 'utf8')

test('the SQL beside the clickstream example derives silver and gold from the bronze columns', async () => {
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  await connection.run(`CREATE SCHEMA bronze; CREATE TABLE bronze.clickstream (
    raw_data VARCHAR, kafka_key VARCHAR, topic VARCHAR, "partition" INTEGER, "offset" BIGINT, kafka_timestamp TIMESTAMPTZ, ingestion_time TIMESTAMPTZ)`)
  const event = (id: string, time: string, type: string, user: string, amount?: number) =>
    JSON.stringify({ event_id: id, event_time: `2026-01-01T12:${time}Z`, event_type: type, user_id: user, amount })
  const values = [
    event('a', '00:10', 'view', 'u1'),
    event('b', '00:20', 'purchase', 'u1', 10.5),
    event('b', '00:20', 'purchase', 'u1', 10.5),
    event('c', '00:30', 'view', 'u2'),
    'not JSON',
    event('d', '01:10', 'purchase', 'u3', 1),
    event('e', '00:40', 'purchase', 'u4', 99),
    null
  ]
  for (const [offset, value] of values.entries()) {
    const text = value === null ? 'NULL' : `'${value}'`
    await connection.run(
      `INSERT INTO bronze.clickstream VALUES (${text}, NULL, 'clicks', 0, ${offset}, TIMESTAMPTZ '2026-01-01 12:00:00Z' + INTERVAL ${offset} SECONDS, now())`
    )
  }
  await connection.run(sql)
  const silver = await connection.runAndReadAll('SELECT event_id, is_late FROM silver.events ORDER BY event_id')
  assert.deepEqual(silver.getRows(), [
    ['a', false],
    ['b', false],
    ['c', false],
    ['d', false],
    ['e', true]
  ])
  const gold = await connection.runAndReadAll(
    "SELECT strftime(minute, '%H:%M'), orders::INT, gmv::VARCHAR, users::INT, conversion FROM gold.kpis_per_minute"
  )
  assert.deepEqual(gold.getRows(), [
    ['12:00', 1, '10.50', 2, 0.5],
    ['12:01', 1, '1.00', 1, 1]
  ])
  connection.closeSync()
  database.closeSync()
})
