import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { createJsonReader } from '../../../consumer/decode/json-inferred.ts'
import { JsonSchemas } from '../../../consumer/decode/json-schema-reader.ts'
import { JsonTable } from '../../fakes/json-table.ts'
import { FakeRegistry, framed } from '../../fakes/schema-registry.ts'

const snowflake = dialectOf('snowflake')
const shown = ({ columns }: JsonTable) =>
  columns.map(({ name, type, isJson }) => [name, isJson === true ? 'json' : type])

test('objects and arrays are columns of JSON, as they are written, and those take anything afterwards', async () => {
  const table = new JsonTable('DeadLetter', [], known => createJsonReader(known, snowflake))
  for (const value of [
    '{"id": 1, "a": {"b": 1.50, "b\\u0061": [ ]}, "list": [1, "x", null]}',
    '{"id": 2, "a": [true], "list": "text \\" more"}',
    '{"id": 3, "a": null, "list": 12345678901234567890123456789012345678901234567890}',
    '{"id": 4, "a": {}, "list": []}',
    '{"id": 5, "a": "é", "later": {"x": {}}}'
  ])
    assert.equal(table.add(value), undefined, value)
  assert.deepEqual(shown(table), [
    ['id', 'long'],
    ['a', 'json'],
    ['list', 'json'],
    ['later', 'json']
  ])
  const rows = await table.rows()
  assert.deepEqual(
    rows.map(({ a, list, later }) => [a, list, later]),
    [
      ['{"b": 1.50, "b\\u0061": [ ]}', '[1, "x", null]', null],
      ['[true]', '"text \\" more"', null],
      [null, '12345678901234567890123456789012345678901234567890', null],
      ['{}', '[]', null],
      ['"é"', null, '{"x": {}}']
    ]
  )
})

test('what had a column of its own type stays there; JSON that it cannot take follows the rule', () => {
  const reader = (known: Parameters<typeof createJsonReader>[0]) => createJsonReader(known, snowflake)
  const table = new JsonTable('DeadLetter', [], reader)
  assert.equal(table.add('{"a": "text"}'), undefined)
  assert.match(table.add('{"a": {"b": 1}}') ?? '', /^IncompatibleSchema/)
  assert.equal(table.add('{"a": "more"}'), undefined)
  const moving = new JsonTable('NewColumn', [], reader)
  for (const value of ['{"a": "text"}', '{"a": {"b": 1}}', '{"a": [1]}']) assert.equal(moving.add(value), undefined)
  assert.deepEqual(shown(moving), [
    ['a', 'string'],
    ['a_variant', 'json']
  ])
})

test('rules see what is in an object, whatever its column is', () => {
  const table = new JsonTable('DeadLetter', [], known => createJsonReader(known, snowflake))
  table.add('{"a": {"b": [1, 2]}, "s": "x"}')
  assert.deepEqual(JSON.parse(JSON.stringify(table.reader.value('a'))), { b: [1, 2] })
  assert.equal(table.reader.value('s'), 'x')
})

test('what a JSON Schema leaves open, and its objects, are columns of JSON', async () => {
  const registry = new FakeRegistry()
  const properties = {
    id: { type: 'integer' },
    any: { type: ['string', 'object'] },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    line: { type: 'object', properties: { sku: { type: 'string' } } },
    key: { type: 'string', format: 'uuid' }
  }
  const id = registry.register({ type: 'object', properties }, { type: 'JSON' })
  const schemas = new JsonSchemas(registry, snowflake)
  const table = new JsonTable('DeadLetter', [], known => schemas.reader({ topic: 'orders', known }))
  const value = { id: 1, any: 'text', labels: { a: 'b' }, line: { sku: 's', more: 1 }, key: 'no uuid' }
  assert.equal(table.add(framed(id, Buffer.from(JSON.stringify(value)))), undefined)
  assert.deepEqual(shown(table), [
    ['id', 'long'],
    ['any', 'json'],
    ['labels', 'json'],
    ['line', 'json'],
    ['key', 'string']
  ])
  const [row] = await table.rows()
  assert.deepEqual([row?.['any'], row?.['labels'], row?.['line']], ['"text"', '{"a":"b"}', '{"sku":"s","more":1}'])
})
