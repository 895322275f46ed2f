import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import type { Field } from '../../../consumer/columns/schema.ts'
import { JsonSchemas } from '../../../consumer/decode/json-schema-reader.ts'
import { JsonTable } from '../../fakes/json-table.ts'
import { FakeRegistry, framed } from '../../fakes/schema-registry.ts'

const json = { type: 'JSON' } as const
const UUID = '01234567-89ab-cdef-0123-456789abcdef'

const ORDER = {
  type: 'object',
  title: 'Order',
  properties: {
    id: { type: 'integer' },
    price: { type: 'number', description: 'With tax.' },
    at: { type: 'string', format: 'date-time' },
    day: { type: 'string', format: 'date' },
    key: { type: 'string', format: 'uuid' },
    any: { type: ['string', 'number'] },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          sku: { type: 'string' },
          due: { type: 'string', format: 'date' },
          extra: { oneOf: [{ type: 'integer' }, { type: 'object' }] }
        }
      }
    },
    never: { type: ['boolean', 'null'] }
  },
  required: ['id']
}

const tableOf = (
  registry: FakeRegistry,
  rule: 'DeadLetter' | 'NewColumn' = 'DeadLetter',
  columns: readonly Field[] = [],
  sink: 'delta' | 'iceberg' = 'iceberg'
) => {
  const schemas = new JsonSchemas(registry, dialectOf(sink))
  return new JsonTable(rule, columns, known => schemas.reader({ topic: 'orders', known }))
}

const value = (id: number, of: unknown) => framed(id, Buffer.from(typeof of === 'string' ? of : JSON.stringify(of)))

test('values without a frame, of unknown schemas and of other types say so', () => {
  const registry = new FakeRegistry()
  const id = registry.register(ORDER, json)
  const avro = registry.register('"int"')
  const bad = registry.register({ properties: { a: { $ref: '#/none' } } }, json)
  const table = tableOf(registry)
  assert.deepEqual(
    [
      Buffer.from('{"id": 1}'),
      framed(9, Buffer.from('{}')),
      value(avro, '{}'),
      value(bad, '{}'),
      value(id, '{"id": 1'),
      value(id, '[1]'),
      value(id, ''),
      framed(id, Buffer.from('"\xff"', 'latin1')),
      value(id, '{"id": 1}'),
      null
    ].map(each => table.add(each)),
    [
      'NotFramed',
      'UnknownSchema',
      'UnsupportedSchema',
      'UnsupportedSchema',
      'InvalidJson',
      'NotAnObject',
      'InvalidJson',
      'InvalidUtf8',
      undefined,
      undefined
    ]
  )
})

test('columns are those of the schema, whether or not a value has them; what it does not name is inferred', async () => {
  const registry = new FakeRegistry()
  const id = registry.register(ORDER, json)
  const table = tableOf(registry)
  assert.equal(table.add(value(id, { more: { deep: 1 }, never: true, id: 1 })), undefined)
  assert.deepEqual(
    table.columns.map(({ name, type, comment }) => [
      name,
      typeof type === 'string' ? type : Object.keys(type)[0],
      comment
    ]),
    [
      ['id', 'long', undefined],
      ['price', 'double', 'With tax.'],
      ['at', 'timestamp', undefined],
      ['day', 'date', undefined],
      ['key', 'uuid', undefined],
      ['any', 'string', undefined],
      ['labels', 'string', undefined],
      ['lines', 'list', undefined],
      ['never', 'boolean', undefined],
      ['more', 'struct', undefined]
    ]
  )
  const line = { sku: 's', due: '2024-02-29', extra: { a: [1] } }
  const whole = {
    id: 5,
    price: 2,
    at: '2024-01-02T03:04:05.678901+01:00',
    day: '2024-02-29',
    key: UUID,
    any: 1.5,
    labels: { 'a-b': 'x', a_b: 'y' },
    lines: [line, { extra: 5 }]
  }
  assert.equal(table.add(value(id, whole)), undefined)
  assert.equal(table.add(value(id, '{"any": "te\\u0078t", "labels": "none", "lines": []}')), undefined)
  const rows = (await table.rows())
    .slice(1)
    .map(({ _row, more, never, ...rest }) => [rest, more ?? null, never ?? null])
  const none = Object.fromEntries(['id', 'price', 'at', 'day', 'key'].map(name => [name, null]))
  assert.deepEqual(rows, [
    [
      {
        ...whole,
        id: 5n,
        at: new Date('2024-01-02T02:04:05.678Z'),
        day: new Date('2024-02-29'),
        any: '1.5',
        labels: '{"a-b":"x","a_b":"y"}',
        lines: [
          { sku: 's', due: new Date('2024-02-29'), extra: '{"a":[1]}' },
          { sku: null, due: null, extra: '5' }
        ]
      },
      null,
      null
    ],
    [{ ...none, any: 'text', labels: 'none', lines: [] }, null, null]
  ])
})

test('a value that its column cannot take follows the rule', async () => {
  const registry = new FakeRegistry()
  const id = registry.register(ORDER, json)
  const wrong = [
    { id: 'x' },
    { id: 1.5 },
    { at: 'soon' },
    { at: '2024-01-02T03:04:05' },
    { day: '2024-02-30' },
    { key: 'k' },
    { never: 1 },
    { lines: { a: 1 } },
    { lines: [{ due: 'x' }] },
    { day: 5 }
  ]
  const table = tableOf(registry)
  for (const each of wrong)
    assert.match(String(table.add(value(id, each))), /^IncompatibleSchema/, JSON.stringify(each))
  const lenient = tableOf(registry, 'NewColumn')
  for (const each of [{ at: 'soon' }, { at: '2024-01-02T03:04:05Z' }, { lines: [{ due: 'x' }] }])
    assert.equal(lenient.add(value(id, each)), undefined)
  const rows = await lenient.rows()
  assert.deepEqual(
    rows.map(row => [row['at'] ?? null, row['at_string'] ?? null]),
    [
      [null, 'soon'],
      [new Date('2024-01-02T03:04:05Z'), null],
      [null, null]
    ]
  )
  assert.deepEqual(rows[2]?.['lines'], [{ sku: null, due: null, extra: null, due_string: 'x' }])
})

test('a value that does not fit decides nothing of a part that the table does not have yet', async () => {
  for (const rule of ['DeadLetter', 'NewColumn'] as const) {
    const registry = new FakeRegistry()
    const schema = (parts: Record<string, unknown>) => ({
      properties: {
        o: { type: 'object', properties: parts },
        l: { type: 'array', items: { type: 'object', properties: parts } }
      }
    })
    const first = registry.register(schema({ x: { type: 'string' } }), json)
    const second = registry.register(schema({ x: { type: 'string' }, y: { type: 'string', format: 'date' } }), json)
    const table = tableOf(registry, rule)
    assert.equal(table.add(value(first, { o: { x: 'a' } })), undefined)
    for (const wrong of [{ o: { y: 'never' } }, { l: [{ y: 'never' }] }]) {
      if (rule === 'NewColumn') assert.equal(table.add(value(second, wrong)), undefined)
      else assert.match(String(table.add(value(second, wrong))), /^IncompatibleSchema/)
    }
    assert.equal(table.add(value(second, { o: { y: '2024-02-29' }, l: [{ y: '2024-02-29' }] })), undefined)
    const { o, l } = (await table.rows()).at(-1) as { o: { y: unknown }; l: { y: unknown }[] }
    assert.deepEqual([o.y, l.map(({ y }) => y)], [new Date('2024-02-29'), [new Date('2024-02-29')]])
  }
})

test('schemas are kept in mind where keys are data, of which none is remembered for long', async () => {
  const registry = new FakeRegistry()
  const id = registry.register(
    { properties: { a: { type: 'string', format: 'date' }, b: { type: ['string', 'number'] } } },
    json
  )
  const table = tableOf(registry)
  for (let first = 0; first < 10_000; first += 500) {
    const keys = Array.from({ length: 500 }, (_, index) => [`k${first + index}`, null])
    const made = { ...Object.fromEntries(keys), b: first, a: '2024-02-29' }
    assert.equal(table.add(value(id, made)), undefined)
  }
  assert.deepEqual(
    table.columns.map(({ name }) => name),
    ['a', 'b']
  )
  const rows = await table.rows()
  assert.deepEqual([rows.length, rows[19]?.['a'], rows[19]?.['b']], [20, new Date('2024-02-29'), '9500'])
})

test('what a table has counts more than what a schema says', async () => {
  const registry = new FakeRegistry()
  const first = registry.register(
    { properties: { a: { type: 'number' }, o: { type: 'object', properties: { x: { type: 'string' } } } } },
    json
  )
  const second = registry.register(
    {
      properties: {
        A: { type: 'integer' },
        o: { type: 'object', properties: { y: { type: 'string', format: 'date' } } },
        b: { type: 'string' }
      }
    },
    json
  )
  const table = tableOf(registry)
  assert.equal(table.add(value(first, { a: 1.5, o: { x: '2024-02-29' } })), undefined)
  assert.equal(table.add(value(second, { A: 2, o: { y: '2024-02-29' }, b: 'b' })), undefined)
  assert.equal(table.reader.schemaVersion, 2)
  assert.equal(table.add(value(first, { a: 3 })), undefined)
  assert.deepEqual(
    (await table.rows()).map(({ a, o, b }) => [a, o, b]),
    [
      [1.5, { x: '2024-02-29' }, null],
      [2, { x: null, y: new Date('2024-02-29') }, 'b'],
      [3, null, null]
    ]
  )
})

test('on Delta UUIDs are text; rules see times and texts as such; versions go by topic or title', () => {
  const registry = new FakeRegistry('orders-Order')
  const id = registry.register(ORDER, json)
  const table = tableOf(registry, 'DeadLetter', [], 'delta')
  assert.equal(
    table.add(value(id, { id: 5, at: '2024-01-02T03:04:05Z', key: UUID, any: [1], labels: { a: 'b' } })),
    undefined
  )
  assert.equal(table.columns.find(({ name }) => name === 'key')?.type, 'string')
  assert.deepEqual(
    ['id', 'at', 'key', 'any', 'labels', 'day', 'none'].map(name => table.reader.value(name)),
    [5n, 1_704_164_645_000_000, UUID, '[1]', '{"a":"b"}', null, undefined].map((each, index) =>
      index === 0 ? Number(each) : each
    )
  )
  assert.equal(table.reader.schemaVersion, 1)
})
