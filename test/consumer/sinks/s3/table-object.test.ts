import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnType, Field } from '../../../../consumer/columns/schema.ts'
import {
  formatTable,
  missingColumns,
  parseTable,
  tableColumns,
  typeText
} from '../../../../consumer/sinks/s3/table-object.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'

const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true })
const HEADERS: ColumnType = {
  list: { struct: [field('key', 'string'), field('value', 'binary')] },
  elementNullable: false
}
const TABLE = {
  number: 3,
  id: 'x',
  layout: 'Glob' as const,
  isDropped: false,
  columns: [
    { name: 'id', type: 'long' },
    { name: 'price', type: 'decimal(10, 2)' },
    { name: 'headers', type: typeText(HEADERS) },
    { name: 'later', type: 'variant' }
  ]
}

test('a table is read as it was written', () => {
  for (const table of [TABLE, { ...TABLE, isDropped: true, columns: [] }])
    assert.deepEqual(parseTable(formatTable(table), 3, 'p'), table)
})

for (const [what, text, reason] of [
  ['no JSON', '{', 'DamagedTable'],
  ['null', 'null', 'UnsupportedFormat'],
  ['a newer version', '{"version": 2}', 'UnsupportedFormat'],
  ['no id', '{"version": 1, "layout": "Glob", "columns": []}', 'DamagedTable'],
  ['an unknown layout', '{"version": 1, "id": "x", "layout": "Heap", "columns": []}', 'DamagedTable'],
  ['columns that are no list', '{"version": 1, "id": "x", "layout": "Glob", "columns": {}}', 'DamagedTable'],
  ['a column without type', '{"version": 1, "id": "x", "layout": "Glob", "columns": [{"name": "a"}]}', 'DamagedTable'],
  ['a column of nothing', '{"version": 1, "id": "x", "layout": "Glob", "columns": [null]}', 'DamagedTable']
] as const) {
  test(`a table described by ${what} is refused`, () => {
    assert.throws(
      () => parseTable(Buffer.from(text), 0, 'a/b'),
      (error: unknown) => error instanceof FatalError && error.reason === reason && error.message.startsWith('a/b')
    )
  })
}

test('columns that the table lacks are found, whatever else it has', () => {
  const added = field('note', 'string')
  assert.deepEqual(missingColumns(TABLE, [field('id', 'long'), added], 't', false), [{ name: 'note', type: 'string' }])
  assert.deepEqual(missingColumns(TABLE, [field('headers', HEADERS)], 't', false), [])
})

for (const [what, wanted] of [
  ['another type', field('id', 'int')],
  ['another scale', field('price', { decimal: { precision: 10, scale: 3 } })],
  ['another spelling', field('ID', 'long')],
  ['another field within', field('headers', { list: { struct: [field('key', 'string')] }, elementNullable: false })]
] as const) {
  test(`a column of ${what} is refused with the remedy, and sends home who may just be late`, () => {
    assert.throws(
      () => missingColumns(TABLE, [wanted], 't', false),
      (error: unknown) =>
        error instanceof FatalError && error.reason === 'IncompatibleTable' && /Rename/.test(error.message)
    )
    assert.throws(
      () => missingColumns(TABLE, [wanted], 't', true),
      (error: unknown) => error instanceof RetryableError && error.code === 'SchemaMoved'
    )
  })
}

test('columns are told with the types that we write', () => {
  assert.deepEqual(
    tableColumns(TABLE, [field('headers', HEADERS)]).map(({ type }) => type),
    ['long', { decimal: { precision: 10, scale: 2 } }, HEADERS, undefined]
  )
})

test('types have the same words exactly when they are the same', () => {
  const types: readonly ColumnType[] = [
    'string',
    { fixed: 3 },
    { fixed: 4 },
    { decimal: { precision: 10, scale: 2 } },
    { list: 'string', elementNullable: true },
    { map: { key: 'string', value: 'long', valueNullable: true } },
    { map: { key: 'string', value: 'int', valueNullable: true } },
    { struct: [field('a', 'int'), field('b', 'int')] },
    { struct: [field('a: int, b', 'int')] },
    { struct: [field('b', 'int'), field('a', 'int')] }
  ]
  assert.equal(new Set(types.map(typeText)).size, types.length)
})
