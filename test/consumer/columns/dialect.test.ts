import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf, fieldsIn } from '../../../consumer/columns/dialect.ts'
import { SchemaError } from '../../../consumer/schema-limits.ts'
import type { Field } from '../../../consumer/columns/schema.ts'

const FIELDS: readonly Field[] = [
  { name: 'n', type: 'int', nullable: false, comment: 'kept' },
  { name: 'at', type: 'time', nullable: true },
  { name: 'local', type: 'timestampNtz', nullable: true },
  { name: 'price', type: { decimal: { precision: 9, scale: 2 } }, nullable: true },
  {
    name: 'items',
    type: { list: { struct: [{ name: 'id', type: 'uuid', nullable: true }] }, elementNullable: false },
    nullable: true
  },
  { name: 'm', type: { map: { key: 'int', value: { fixed: 4 }, valueNullable: true } }, nullable: true }
]

test('Iceberg takes every type as it is', () => {
  assert.equal(fieldsIn(dialectOf('iceberg'), FIELDS), FIELDS)
})

test('Delta gets the widest numbers, and text, bytes and longs for what it lacks, at every depth', () => {
  assert.deepEqual(fieldsIn(dialectOf('delta'), FIELDS), [
    { name: 'n', type: 'long', nullable: false, comment: 'kept' },
    { name: 'at', type: 'long', nullable: true },
    { name: 'local', type: 'timestampNtz', nullable: true },
    { name: 'price', type: { decimal: { precision: 38, scale: 2 } }, nullable: true },
    {
      name: 'items',
      type: { list: { struct: [{ name: 'id', type: 'string', nullable: true }] }, elementNullable: false },
      nullable: true
    },
    { name: 'm', type: { map: { key: 'long', value: 'binary', valueNullable: true } }, nullable: true }
  ])
})

test('what Delta holds already stays the same array', () => {
  const fields = fieldsIn(dialectOf('delta'), FIELDS)
  assert.equal(fieldsIn(dialectOf('delta'), fields), fields)
})

test('raw objects get the widest numbers at every depth, and all else as it is', () => {
  const fields = fieldsIn(dialectOf('s3'), FIELDS)
  assert.deepEqual(
    fields.map(({ type }) => type),
    [
      'long',
      'time',
      'timestampNtz',
      { decimal: { precision: 38, scale: 2 } },
      FIELDS[4]?.type,
      { map: { key: 'long', value: { fixed: 4 }, valueNullable: true } }
    ]
  )
  assert.equal(fieldsIn(dialectOf('s3'), fields), fields)
})

test('Snowflake gets the widest numbers, and JSON for what is nested or was JSON before', () => {
  const fields = fieldsIn(dialectOf('snowflake'), [
    ...FIELDS,
    { name: 'id', type: 'uuid', nullable: false },
    { name: 'hash', type: { fixed: 4 }, nullable: true },
    { name: 'ratio', type: 'float', nullable: true },
    { name: 'free', type: 'string', nullable: true, isJson: true }
  ])
  assert.deepEqual(fields, [
    { name: 'n', type: 'long', nullable: false, comment: 'kept' },
    { name: 'at', type: 'time', nullable: true },
    { name: 'local', type: 'timestamp', nullable: true },
    { name: 'price', type: { decimal: { precision: 38, scale: 2 } }, nullable: true },
    { name: 'items', type: 'string', nullable: true, isJson: true },
    { name: 'm', type: 'string', nullable: true, isJson: true },
    { name: 'id', type: 'string', nullable: false },
    { name: 'hash', type: 'binary', nullable: true },
    { name: 'ratio', type: 'double', nullable: true },
    { name: 'free', type: 'string', nullable: true, isJson: true }
  ])
  assert.deepEqual(fieldsIn(dialectOf('snowflake'), fields), fields)
})

test('elsewhere text of JSON is text', () => {
  for (const sink of ['delta', 'iceberg', 's3'] as const)
    assert.deepEqual(fieldsIn(dialectOf(sink), [{ name: 'free', type: 'string', nullable: true, isJson: true }]), [
      { name: 'free', type: 'string', nullable: true }
    ])
})

test('a decimal that Snowflake cannot hold makes its schema one that cannot be read', () => {
  const field: Field = { name: 'tiny', type: { decimal: { precision: 38, scale: 38 } }, nullable: true }
  assert.throws(() => fieldsIn(dialectOf('snowflake'), [field]), SchemaError)
})
