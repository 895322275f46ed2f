import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnType, Field } from '../../../../consumer/columns/schema.ts'
import { columnsWith, formatTable, parseTable, tableColumns } from '../../../../consumer/sinks/s3/table-object.ts'
import { typeText } from '../../../../consumer/sinks/s3/type-text.ts'
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
  ['no JSON', '{', 'TableDamaged'],
  ['null', 'null', 'UnsupportedFormat'],
  ['a newer version', '{"version": 2}', 'UnsupportedFormat'],
  ['no id', '{"version": 1, "layout": "Glob", "columns": []}', 'TableDamaged'],
  ['an unknown layout', '{"version": 1, "id": "x", "layout": "Heap", "columns": []}', 'TableDamaged'],
  ['columns that are no list', '{"version": 1, "id": "x", "layout": "Glob", "columns": {}}', 'TableDamaged'],
  ['a column without type', '{"version": 1, "id": "x", "layout": "Glob", "columns": [{"name": "a"}]}', 'TableDamaged'],
  ['a column of nothing', '{"version": 1, "id": "x", "layout": "Glob", "columns": [null]}', 'TableDamaged']
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
  assert.deepEqual(columnsWith(TABLE, [field('id', 'long'), added], 't', false), [
    ...TABLE.columns,
    { name: 'note', type: 'string' }
  ])
  assert.equal(columnsWith(TABLE, [field('headers', HEADERS)], 't', false), TABLE.columns)
})

for (const [what, wanted] of [
  ['another type', field('id', 'int')],
  ['another scale', field('price', { decimal: { precision: 10, scale: 3 } })],
  ['another spelling', field('ID', 'long')],
  ['another type within', field('headers', { list: { struct: [field('key', 'long')] }, elementNullable: false })],
  ['another spelling within', field('headers', { list: { struct: [field('Key', 'string')] }, elementNullable: false })],
  ['a type that we do not know', field('later', 'string')]
] as const) {
  test(`a column of ${what} is refused with the remedy, and sends home who may just be late`, () => {
    assert.throws(
      () => columnsWith(TABLE, [wanted], 't', false),
      (error: unknown) =>
        error instanceof FatalError && error.reason === 'IncompatibleTable' && /Rename/.test(error.message)
    )
    assert.throws(
      () => columnsWith(TABLE, [wanted], 't', true),
      (error: unknown) => error instanceof RetryableError && error.code === 'SchemaMoved'
    )
  })
}

test('a column of JSON is another than one of text, either way, and is told as it is', () => {
  const json: Field = { ...field('payload', 'string'), isJson: true }
  const columns = columnsWith({ ...TABLE, columns: [] }, [json], 't', false)
  const table = { ...TABLE, columns }
  assert.equal(columnsWith(table, [json], 't', false), columns)
  assert.deepEqual(tableColumns(table, []), [{ name: 'payload', type: 'string', nullable: true, isJson: true }])
  const incompatible = (error: unknown) => error instanceof FatalError && error.reason === 'IncompatibleTable'
  assert.throws(() => columnsWith(table, [field('payload', 'string')], 't', false), incompatible)
  const ofText = columnsWith({ ...TABLE, columns: [] }, [field('payload', 'string')], 't', false)
  assert.throws(() => columnsWith({ ...TABLE, columns: ofText }, [json], 't', false), incompatible)
})

test('what is new within a column comes to what is there, and who knows less may go on', () => {
  const list = (...struct: readonly Field[]): ColumnType => ({ list: { struct }, elementNullable: true })
  const more = field('headers', list(field('value', 'binary'), field('at', 'timestamp')))
  const joined = list(field('key', 'string'), field('value', 'binary'), field('at', 'timestamp'))
  const columns = columnsWith(TABLE, [more], 't', true)
  assert.deepEqual(
    columns,
    TABLE.columns.map(column => (column.name === 'headers' ? { ...column, type: typeText(joined) } : column))
  )
  const grown = { ...TABLE, columns }
  assert.equal(columnsWith(grown, [field('headers', HEADERS)], 't', true), columns)
  assert.deepEqual(
    tableColumns(grown, []).find(({ name }) => name === 'headers'),
    { name: 'headers', type: joined, nullable: true }
  )
})

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
