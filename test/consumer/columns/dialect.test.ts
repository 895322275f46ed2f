import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf, fieldsIn } from '../../../consumer/columns/dialect.ts'
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
