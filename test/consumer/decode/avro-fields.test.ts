import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchema } from '../../../consumer/avro/parse-schema.ts'
import { SchemaError } from '../../../consumer/schema-limits.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { fieldsOf } from '../../../consumer/decode/avro-fields.ts'
import { planOf } from '../../../consumer/decode/avro-plan.ts'

const fields = (schema: unknown, sink: 'delta' | 'iceberg' = 'iceberg') =>
  fieldsOf(planOf(parseSchema(JSON.stringify(schema))), dialectOf(sink))

const record = (types: Record<string, unknown>, name = 'r') => ({
  type: 'record',
  name,
  fields: Object.entries(types).map(([field, type]) => ({ name: field, type }))
})

/** The column of one field. */
const column = (type: unknown, sink: 'delta' | 'iceberg' = 'iceberg') => {
  const [field] = fields(record({ f: type }), sink)
  return field && ([field.type, field.nullable] as const)
}

const long = (logicalType: string) => ({ type: 'long', logicalType })

test('each type has its column, in Iceberg and in Delta', () => {
  const cases: readonly (readonly [unknown, unknown, unknown?])[] = [
    ['boolean', 'boolean'],
    ['int', 'int', 'long'],
    ['long', 'long'],
    ['float', 'float', 'double'],
    ['double', 'double'],
    ['bytes', 'binary'],
    ['string', 'string'],
    [{ type: 'string', logicalType: 'uuid' }, 'uuid', 'string'],
    [{ type: 'fixed', name: 'u', size: 16, logicalType: 'uuid' }, 'uuid', 'string'],
    [{ type: 'fixed', name: 'f', size: 12, logicalType: 'duration' }, { fixed: 12 }, 'binary'],
    [{ type: 'enum', name: 'e', symbols: ['A'] }, 'string'],
    [{ type: 'int', logicalType: 'date' }, 'date'],
    [{ type: 'int', logicalType: 'time-millis' }, 'time', 'long'],
    [long('time-micros'), 'time', 'long'],
    [long('timestamp-millis'), 'timestamp'],
    [long('timestamp-micros'), 'timestamp'],
    [long('timestamp-nanos'), 'long'],
    [long('local-timestamp-millis'), 'timestampNtz'],
    [long('local-timestamp-micros'), 'timestampNtz'],
    [long('local-timestamp-nanos'), 'long'],
    [long('never-heard-of'), 'long'],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 },
      { decimal: { precision: 12, scale: 2 } },
      { decimal: { precision: 38, scale: 2 } }
    ],
    [{ type: 'bytes', logicalType: 'decimal', precision: 39, scale: 2 }, 'binary'],
    [
      { type: 'array', items: 'int' },
      { list: 'int', elementNullable: false },
      { list: 'long', elementNullable: false }
    ],
    [
      { type: 'array', items: ['string', 'null'] },
      { list: 'string', elementNullable: true }
    ],
    [{ type: 'map', values: 'double' }, { map: { key: 'string', value: 'double', valueNullable: false } }],
    [record({ x: ['null', 'long'] }, 'inner'), { struct: [{ name: 'x', type: 'long', nullable: true }] }],
    [record({}, 'inner'), 'string'],
    [{ type: 'array', items: 'null' }, 'string'],
    [['long'], 'long']
  ]
  for (const [type, iceberg, delta = iceberg] of cases) {
    assert.deepEqual(
      [column(type), column(type, 'delta')],
      [
        [iceberg, false],
        [delta, false]
      ],
      JSON.stringify(type)
    )
    if (!Array.isArray(type)) assert.deepEqual(column(['null', type]), [iceberg, true])
  }
})

test('a union of several types is a struct of which one field is there', () => {
  const type = ['null', 'string', 'long', record({ x: 'int' }, 'a.Point'), record({ x: 'int' }, 'b.point')]
  const names = { string: 'string', long: 'long', a_Point: { struct: [{ name: 'x', type: 'int', nullable: false }] } }
  assert.deepEqual(column(type), [
    {
      struct: [
        ...Object.entries(names).map(([name, type]) => ({ name, type, nullable: true })),
        { name: 'b_point', type: names.a_Point, nullable: true }
      ]
    },
    true
  ])
})

test('fields that are always null have no column; nanoseconds and documented fields say what they are', () => {
  const found = fields({
    type: 'record',
    name: 'r',
    fields: [
      { name: 'gone', type: 'null' },
      { name: 'also', type: ['null'] },
      { name: 'at', type: ['null', long('timestamp-nanos')], doc: 'When.' },
      { name: 'id', type: 'int', doc: 'Who.' }
    ]
  })
  assert.deepEqual(
    found.map(({ name, comment }) => [name, comment]),
    [
      ['at', 'Nanoseconds since 1970.'],
      ['id', 'Who.']
    ]
  )
})

test('values that are no records have one column, records that may be null nullable ones', () => {
  assert.deepEqual(fields('string'), [{ name: 'value', type: 'string', nullable: true }])
  assert.deepEqual(fields(['null', record({ a: 'int' })]), [{ name: 'a', type: 'int', nullable: true }])
  assert.deepEqual(fields('null'), [])
})

test('a small schema cannot become a table without end', () => {
  let schema: unknown = 'int'
  for (let level = 0; level < 8; level++) {
    const name = `r${level}`
    schema = {
      type: 'record',
      name,
      fields: Array.from({ length: 10 }, (_, index) => ({
        name: `f${index}`,
        type: index === 0 ? schema : level === 0 ? 'int' : `r${level - 1}`
      }))
    }
  }
  assert.throws(() => fields(schema), SchemaError)
  const wide = record(
    Object.fromEntries(
      Array.from({ length: 600 }, (_, index) => [`f${index}`, index === 0 ? record({ a: 'int', b: 'int' }, 'p') : 'p'])
    )
  )
  assert.throws(() => fields(wide), /1200 columns/)
})
