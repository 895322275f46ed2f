import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { planTables } from '../../consumer/columns/bronze.ts'
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

test('commerce: the tables have the columns that their owner has, and no other', () => {
  assert.deepEqual(columnsOf(commerce), [
    ['INGESTION_TIMESTAMP timestamp', 'RAW_EVENT json', 'ORDER_ID string', 'USER_ID string'],
    ['INGESTION_TIMESTAMP timestamp', 'RAW_EVENT json', 'CLICK_ID string', 'USER_ID string']
  ])
})

test('flowguard: rows are merged by their ingestion id, and the tables are clustered by what prunes the merge', () => {
  assert.ok(flowguard.sink.kind === 'snowflake')
  const { mode, clusterBy } = flowguard.sink.snowflake
  assert.deepEqual([mode, clusterBy], ['Merge', ['KAFKA_PARTITION', 'KAFKA_OFFSET']])
})

test('flowguard: the tables have the columns that their owner has, and no other', () => {
  const columns = [
    'SOURCE_TOPIC string',
    'KAFKA_PARTITION int',
    'KAFKA_OFFSET long',
    'INGESTION_ID string',
    'RAW_EVENT json',
    'EVENT_TYPE string',
    'SCHEMA_VERSION string',
    'PRODUCER_SERVICE string'
  ]
  assert.deepEqual(columnsOf(flowguard), [columns, columns])
  assert.deepEqual(
    planTables(flowguard).map(({ table, deadLetterTable }) => [table, deadLetterTable]),
    [
      ['BRONZE.ORDERS', 'BRONZE.ORDERS_DLQ'],
      ['BRONZE.CLICKS', 'BRONZE.CLICKS_DLQ']
    ]
  )
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

/** Columns of each table, as what is staged has them. */
function columnsOf(pipeline: SettledPipeline): readonly (readonly string[])[] {
  return planTables(pipeline).map(({ schema }) =>
    schema.fields
      .filter(({ isStagedOnly }) => isStagedOnly !== true)
      .map(
        ({ name, type, isJson }) => `${name} ${isJson === true ? 'json' : typeof type === 'string' ? type : 'nested'}`
      )
  )
}
