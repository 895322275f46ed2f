// The tables that the owners of the examples have, column by column.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { need } from '../../servers/need.ts'
import { owner, type Owner } from './owners.ts'

const needed = { ...need('kafka', 'snowflake'), timeout: 400_000 }

const DEAD_LETTERS = [
  'FAILED_AT TIMESTAMP_NTZ(9)',
  'ERROR_MESSAGE VARCHAR(16777216)',
  'RAW_PAYLOAD VARIANT',
  'KAFKA_METADATA VARIANT'
]
const COMMERCE = {
  'BRONZE.ORDERS_RAW': [
    'INGESTION_TIMESTAMP TIMESTAMP_NTZ(9)',
    'RAW_EVENT VARIANT',
    'ORDER_ID VARCHAR(16777216)',
    'USER_ID VARCHAR(16777216)'
  ],
  'BRONZE.CLICKS_RAW': [
    'INGESTION_TIMESTAMP TIMESTAMP_NTZ(9)',
    'RAW_EVENT VARIANT',
    'CLICK_ID VARCHAR(16777216)',
    'USER_ID VARCHAR(16777216)'
  ],
  'BRONZE.ORDERS_RAW_DLQ': DEAD_LETTERS,
  'BRONZE.CLICKS_RAW_DLQ': DEAD_LETTERS
}
const EVENTS = [
  'SOURCE_TOPIC VARCHAR(16777216)',
  'KAFKA_PARTITION NUMBER(38,0)',
  'KAFKA_OFFSET NUMBER(38,0)',
  'INGESTION_ID VARCHAR(16777216)',
  'RAW_EVENT VARIANT',
  'EVENT_TYPE VARCHAR(16777216)',
  'SCHEMA_VERSION VARCHAR(16777216)',
  'PRODUCER_SERVICE VARCHAR(16777216)'
]
const FLOWGUARD = {
  'BRONZE.ORDERS': EVENTS,
  'BRONZE.CLICKS': EVENTS,
  'BRONZE.ORDERS_DLQ': DEAD_LETTERS,
  'BRONZE.CLICKS_DLQ': DEAD_LETTERS
}

for (const [example, expected] of [['commerce', COMMERCE] as const, ['flowguard', FLOWGUARD] as const]) {
  test(`bronze init makes the tables of ${example} as their owners have them`, needed, async context => {
    const owned = await owner(context, example, text => text.replace(/triggerInterval: \w+/, 'triggerInterval: 1s'))
    await owned.bronze('init')
    await holds(owned, expected)
    // Again, and by consumers: nothing is to do.
    await owned.bronze('init')
    await owned.bronze('run', '--until-caught-up')
    await holds(owned, expected)
  })

  test(
    `an administrator who runs what bronze init prints for ${example} has the same tables`,
    needed,
    async context => {
      const owned = await owner(context, example, text => text.replace(/triggerInterval: \w+/, 'triggerInterval: 1s'))
      const printed = await owned.bronze('init', '--dry-run')
      for (const statement of statementsOf(printed)) await owned.session.query(statement)
      await holds(owned, expected)
      await owned.produce(owned.orders, ['{"order_id":"a","event_type":"b"}'])
      await owned.bronze('run', '--until-caught-up')
      const [orders = ''] = Object.keys(expected)
      assert.equal(await owned.count(orders), 1)
    }
  )
}

test('clustering keys of the example are those of its tables', needed, async context => {
  const owned = await owner(context, 'flowguard')
  await owned.bronze('init')
  const [orders] = await owned.session.rows("SHOW TABLES LIKE 'ORDERS' IN SCHEMA BRONZE")
  assert.equal(orders?.['cluster_by'], 'LINEAR(KAFKA_PARTITION, KAFKA_OFFSET)')
})

async function holds(owned: Owner, expected: Readonly<Record<string, readonly string[]>>): Promise<void> {
  for (const [table, columns] of Object.entries(expected)) assert.deepEqual(await owned.columns(table), columns, table)
}

/** Of printed SQL, without comments. */
const statementsOf = (printed: string): string[] =>
  printed
    .replaceAll(/^--.*$/gm, '')
    .split(/;\n/)
    .map(statement => statement.trim())
    .filter(statement => statement !== '')
