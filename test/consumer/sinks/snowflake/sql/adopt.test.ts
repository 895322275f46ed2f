import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adopted, missingColumns } from '../../../../../consumer/sinks/snowflake/sql/adopt.ts'
import { initStatements } from '../../../../../consumer/sinks/snowflake/sql/init.ts'
import { foundObjects, tableColumns } from '../../../../../consumer/sinks/snowflake/sql/look.ts'
import { hardRefusals, inlineRefusals } from '../../../../../consumer/sinks/snowflake/sql/refusals.ts'
import { canRefuse } from '../../../../../consumer/sinks/snowflake/sql/refused.ts'
import { found, foundColumn } from './found.ts'
import { example, shop, tableOf } from './tables.ts'

const TYPED = shop(`topics:
- name: orders
  table: orders
  format: Json
  columns:
  - {name: id, value: /id, type: Long}
  - {name: count, value: /count, type: Int}
  - {name: price, value: /price, type: Decimal, precision: 12, scale: 2}
  - {name: ratio, value: /ratio, type: Double}
  - {name: paid, value: /paid, type: Boolean}
  - {name: day, value: /day, type: Date}
  - {name: at, value: /at, type: Timestamp}
  - {name: kind, value: /kind}`)

/** What the table's own column would be replaced by. */
const withColumn = (name: string, type: string) => {
  const there = found(TYPED)
  return { ...there, table: there.table?.map(column => (column.name === name ? foundColumn(name, type) : column)) }
}

test('tables that we made are complete, and lack nothing', () => {
  for (const pipeline of [TYPED, example('commerce-snowflake'), example('flowguard-snowflake')]) {
    const table = tableOf(pipeline)
    const there = found(pipeline)
    assert.deepEqual(initStatements(table, there), [])
    assert.deepEqual(missingColumns(table, there.table ?? []), [])
    assert.equal(adopted(table, there).columns.length, table.columns.length)
  }
})

for (const [name, type] of [
  ['ID', 'NUMBER(19,0)'],
  ['COUNT', 'NUMBER(10,0)'],
  ['PRICE', 'NUMBER(14,4)'],
  ['AT', 'TIMESTAMP_TZ(6)'],
  ['AT', 'TIMESTAMP_LTZ(9)'],
  ['KIND', 'VARCHAR(1)'],
  ['_KAFKA_KEY', 'BINARY(1)']
] as const) {
  test(`a column ${name} ${type} takes what is written there`, () => {
    assert.doesNotThrow(() => adopted(tableOf(TYPED), withColumn(name, type)))
  })
}

for (const [name, type] of [
  ['ID', 'NUMBER(18,0)'],
  ['ID', 'FLOAT'],
  ['COUNT', 'NUMBER(10,2)'],
  ['PRICE', 'NUMBER(12,1)'],
  ['PRICE', 'NUMBER(12,3)'],
  ['RATIO', 'NUMBER(38,0)'],
  ['PAID', 'VARCHAR'],
  ['DAY', 'TIMESTAMP_NTZ'],
  ['AT', 'TIMESTAMP_NTZ(3)'],
  ['KIND', 'VARIANT'],
  ['VALUE', 'VARCHAR'],
  ['_KAFKA_HEADERS', 'ARRAY'],
  ['_KAFKA_KEY', 'VARCHAR']
] as const) {
  test(`a column ${name} ${type} is refused`, () => {
    assert.throws(() => adopted(tableOf(TYPED), withColumn(name, type)), { reason: 'IncompatibleTable' })
  })
}

test('a column that only others write may not require a value', () => {
  const there = found(TYPED)
  const required = foundColumn('LOADED_BY', 'VARCHAR NOT NULL')
  const withOther = (column: typeof required) => ({ ...there, table: [...(there.table ?? []), column] })
  assert.throws(() => adopted(tableOf(TYPED), withOther(required)), { reason: 'IncompatibleTable' })
  assert.doesNotThrow(() => adopted(tableOf(TYPED), withOther({ ...required, hasDefault: true })))
})

test('a dead-letter table of others is checked as well', () => {
  const there = found(TYPED)
  const letters = (name: string, type: string) => ({
    ...there,
    deadLetters: there.deadLetters?.map(column => (column.name === name ? foundColumn(name, type) : column))
  })
  const table = tableOf(TYPED)
  assert.throws(() => adopted(table, letters('RAW_PAYLOAD', 'VARCHAR')), { reason: 'IncompatibleTable' })
  assert.throws(() => adopted(table, letters('RAW_PAYLOAD', 'VARIANT NOT NULL')), { reason: 'IncompatibleTable' })
  assert.throws(() => adopted(table, letters('ERROR_MESSAGE', 'VARCHAR(200)')), { reason: 'IncompatibleTable' })
  assert.doesNotThrow(() => adopted(table, letters('FAILED_AT', 'TIMESTAMP_NTZ(9) NOT NULL')))
})

test('a table that is gone, or newer than its ledger, is not the one whose offsets are there', () => {
  const table = tableOf(TYPED)
  const there = found(TYPED)
  assert.throws(() => adopted(table, { ...there, table: undefined }), { reason: 'TableDropped', message: /UNDROP/ })
  const made = { ...there, tableCreatedMs: 1_000, ledgerCreatedMs: 1_000 }
  assert.doesNotThrow(() => adopted(table, made))
  assert.throws(() => adopted(table, { ...made, tableCreatedMs: 1_001 }), { reason: 'RolledBack', message: /CLONE/ })
  assert.doesNotThrow(() =>
    adopted(table, { ...made, tableCreatedMs: 1_001, ledger: undefined, ledgerCreatedMs: undefined })
  )
})

test('a view is no table', () => {
  assert.throws(() => adopted(tableOf(TYPED), { ...found(TYPED), tableKind: 'VIEW' }), { reason: 'IncompatibleTable' })
  assert.doesNotThrow(() => adopted(tableOf(TYPED), { ...found(TYPED), tableKind: 'BASE TABLE' }))
})

test('each refusal is of a column that could fail, and of no other', () => {
  const table = tableOf(TYPED)
  const kinds = (policy: typeof table.policy) =>
    hardRefusals({ ...table, policy }).map(({ column, kind }) => `${column.name} ${kind}`)
  assert.deepEqual(kinds('Table'), ['_KAFKA_TIMESTAMP Time', 'VALUE Json', 'DAY Time', 'AT Time'])
  const shorter = adopted(table, withColumn('_KAFKA_KEY', 'BINARY(10)'))
  assert.ok(hardRefusals(shorter).some(({ column, kind }) => column.name === '_KAFKA_KEY' && kind === 'Length'))
})

test('text as long as a value may be is never too long for a VARCHAR without a length', () => {
  const table = adopted(tableOf(TYPED), found(TYPED))
  assert.ok(!hardRefusals(table).some(({ column, kind }) => kind === 'Length' && column.field.type === 'string'))
})

test('policy Inline keeps what it can tell in the row, and stops for the rest', () => {
  const pipeline = shop('topics: [{name: orders, table: orders, format: Json}]\ndeadLetters: {policy: Inline}')
  const table = tableOf(pipeline)
  assert.deepEqual(
    inlineRefusals(table).map(({ column, kind }) => `${column.name} ${kind}`),
    ['VALUE Json']
  )
  assert.ok(canRefuse(table), 'a time of the record itself has no other place')
})

test('what INFORMATION_SCHEMA tells becomes columns as we would write them', () => {
  const { objects } = tableOf(TYPED)
  const row = (name: string, type: string, more: Record<string, string | null> = {}) => ({
    TABLE_NAME: 'ORDERS',
    COLUMN_NAME: name,
    DATA_TYPE: type,
    CHARACTER_MAXIMUM_LENGTH: null,
    CHARACTER_OCTET_LENGTH: null,
    NUMERIC_PRECISION: null,
    NUMERIC_SCALE: null,
    DATETIME_PRECISION: null,
    IS_NULLABLE: 'YES',
    COLUMN_DEFAULT: null,
    ...more
  })
  const there = foundObjects(objects, {
    schema: [{ SCHEMA_NAME: 'PUBLIC' }],
    columns: [
      row('ID', 'NUMBER', {
        CREATED_MS: '1795255205123',
        TABLE_TYPE: 'BASE TABLE',
        NUMERIC_PRECISION: '38',
        NUMERIC_SCALE: '0',
        IS_NULLABLE: 'NO'
      }),
      row('PRICE', 'NUMBER', { NUMERIC_PRECISION: '12', NUMERIC_SCALE: '2' }),
      row('KIND', 'TEXT', { CHARACTER_MAXIMUM_LENGTH: '20' }),
      row('RAW', 'VARIANT'),
      row('PLACE', 'GEOGRAPHY'),
      row('quoted', 'TEXT')
    ],
    stage: [{ name: 'ORDERSX' }]
  })
  assert.deepEqual(tableColumns(there), [
    { name: 'ID', type: 'long', nullable: false, isWhole: true },
    { name: 'PRICE', type: { decimal: { precision: 12, scale: 2 } }, nullable: true },
    { name: 'KIND', type: 'string', nullable: true },
    { name: 'RAW', type: 'string', nullable: true, isJson: true },
    { name: 'PLACE', type: undefined, nullable: true }
  ])
  assert.deepEqual(
    [there.tableCreatedMs, there.ledgerCreatedMs, there.tableKind],
    [1_795_255_205_123, undefined, 'BASE TABLE']
  )
  assert.deepEqual([there.hasSchema, there.hasStage, there.ledger], [true, false, undefined])
})
