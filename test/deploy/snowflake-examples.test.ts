import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { planTables } from '../../consumer/columns/bronze.ts'
import { initStatements } from '../../consumer/sinks/snowflake/sql/init.ts'
import { snowflakeTable } from '../../consumer/sinks/snowflake/sql/table.ts'
import { readPipelines } from '../../crds/documents.ts'
import { settle } from '../../crds/settle.ts'
import type { SettledPipeline } from '../../crds/settled.ts'

const commerce = example('commerce-snowflake.yaml')
const flowguard = example('flowguard-snowflake.yaml')

test('commerce: each topic has its table and dead letters, 100 records or 5 seconds make a commit', () => {
  const rows = commerce.topics.map(({ match, table, batch, startFrom }) => {
    const plan = planTables(commerce).find(plan => plan.table === table)
    return [Object.values(match)[0], table, plan?.deadLetterTable, batch.maxRecords, batch.triggerIntervalMs, startFrom]
  })
  const earliest = { position: 'Earliest' }
  assert.deepEqual(rows, [
    ['raw.orders.v1', 'BRONZE.ORDERS_RAW', 'BRONZE.ORDERS_RAW_DLQ', 100, 5000, earliest],
    ['raw.clicks.v1', 'BRONZE.CLICKS_RAW', 'BRONZE.CLICKS_RAW_DLQ', 100, 5000, earliest]
  ])
  assert.ok(commerce.sink.kind === 'snowflake')
  assert.equal(commerce.sink.snowflake.mode, 'Transaction')
})

const DEAD_LETTERS = [
  'FAILED_AT TIMESTAMP_NTZ',
  'ERROR_MESSAGE VARCHAR',
  'RAW_PAYLOAD VARIANT',
  'KAFKA_METADATA VARIANT'
]

test('commerce: the tables have the columns that their owner has, and no other', () => {
  const common = ['INGESTION_TIMESTAMP TIMESTAMP_NTZ', 'RAW_EVENT VARIANT']
  assert.deepEqual(tablesOf(commerce), {
    'BRONZE.ORDERS_RAW': [...common, 'ORDER_ID VARCHAR', 'USER_ID VARCHAR'],
    'BRONZE.ORDERS_RAW_DLQ': DEAD_LETTERS,
    'BRONZE.CLICKS_RAW': [...common, 'CLICK_ID VARCHAR', 'USER_ID VARCHAR'],
    'BRONZE.CLICKS_RAW_DLQ': DEAD_LETTERS
  })
})

test('flowguard: rows are merged by their ingestion id, and the tables are clustered by what prunes the merge', () => {
  assert.ok(flowguard.sink.kind === 'snowflake')
  const { mode, clusterBy } = flowguard.sink.snowflake
  assert.deepEqual([mode, clusterBy], ['Merge', ['KAFKA_PARTITION', 'KAFKA_OFFSET']])
})

test('flowguard: the tables have the columns that their owner has, and no other', () => {
  const columns = [
    'SOURCE_TOPIC VARCHAR',
    'KAFKA_PARTITION NUMBER(38,0)',
    'KAFKA_OFFSET NUMBER(38,0)',
    'INGESTION_ID VARCHAR',
    'RAW_EVENT VARIANT',
    'EVENT_TYPE VARCHAR',
    'SCHEMA_VERSION VARCHAR',
    'PRODUCER_SERVICE VARCHAR'
  ]
  assert.deepEqual(tablesOf(flowguard), {
    'BRONZE.ORDERS': columns,
    'BRONZE.ORDERS_DLQ': DEAD_LETTERS,
    'BRONZE.CLICKS': columns,
    'BRONZE.CLICKS_DLQ': DEAD_LETTERS
  })
})

test('no example holds what could be a key', () => {
  for (const file of ['commerce-snowflake.yaml', 'flowguard-snowflake.yaml']) {
    const keys = [...textOf(file).matchAll(/PRIVATE KEY-----\n(.*?)\n *-----END/gs)].map(([, key]) => key?.trim())
    assert.deepEqual(keys, ['change-me'], file)
  }
})

function example(file: string): SettledPipeline {
  const { pipelines, problems } = readPipelines(textOf(file), file)
  assert.deepEqual(problems, [])
  return settle(pipelines[0]!)
}

function textOf(file: string): string {
  return readFileSync(new URL(`../../deploy/examples/${file}`, import.meta.url), 'utf8')
}

/** The columns of each table and its dead letters, as the SQL that makes them has them. */
function tablesOf(pipeline: SettledPipeline): Readonly<Record<string, readonly string[]>> {
  const { sink } = pipeline
  assert.ok(sink.kind === 'snowflake')
  const texts = planTables(pipeline).flatMap(plan =>
    initStatements(snowflakeTable(plan, pipeline, sink.snowflake)).map(({ text }) => text)
  )
  return Object.fromEntries(
    texts.flatMap(text => {
      const [, schema, table] = /^CREATE TABLE IF NOT EXISTS "\w+"\."?(\w+)"?\."(\w+)"/.exec(text) ?? []
      if (table === undefined || table.includes('_BRONZE_')) return []
      const columns = [...text.matchAll(/^ {2}"(\w+)" ([A-Z_]+(?:\([0-9,]+\))?)/gm)].map(
        ([, column, type]) => `${column} ${type}`
      )
      return [[`${schema}.${table}`, columns]]
    })
  )
}
