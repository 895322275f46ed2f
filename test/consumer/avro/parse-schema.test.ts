import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchema } from '../../../consumer/avro/parse-schema.ts'
import { SchemaError } from '../../../consumer/schema-limits.ts'

const parse = (schema: unknown, ...references: unknown[]) =>
  parseSchema(
    JSON.stringify(schema),
    references.map(each => JSON.stringify(each))
  )

const record = (name: string, ...types: unknown[]) => ({
  type: 'record',
  name,
  fields: types.map((type, index) => ({ name: `f${index}`, type }))
})

test('names are known by their namespace, their own or that around them', () => {
  const type = parse({
    type: 'record',
    name: 'Order',
    namespace: 'com.acme',
    fields: [
      { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['NEW'] } },
      { name: 'again', type: 'Status' },
      { name: 'full', type: 'com.acme.Status' },
      {
        name: 'inner',
        type: {
          type: 'record',
          name: 'org.other.Inner',
          fields: [{ name: 'key', type: { type: 'fixed', name: 'Key', size: 4 } }]
        }
      },
      { name: 'other', type: 'org.other.Key' },
      { name: 'bare', type: { type: 'fixed', name: 'Bare', namespace: '', size: 1 } },
      { name: 'bareAgain', type: ['null', 'Bare'] }
    ]
  })
  assert.ok(type.kind === 'record')
  assert.equal(type.name, 'com.acme.Order')
  const named = type.fields.map(({ type }) => ('name' in type ? type.name : type.kind))
  assert.deepEqual(named.slice(0, 6), [
    'com.acme.Status',
    'com.acme.Status',
    'com.acme.Status',
    'org.other.Inner',
    'org.other.Key',
    'Bare'
  ])
})

test('a schema knows the types of those it refers to', () => {
  const type = parse(
    record('Top', 'com.acme.A', ['null', 'com.acme.B']),
    record('com.acme.B', 'int'),
    record('com.acme.A', 'B')
  )
  assert.ok(type.kind === 'record')
  assert.deepEqual(
    type.fields.map(({ type }) => type.kind),
    ['record', 'union']
  )
})

test('a record may contain itself', () => {
  const type = parse(record('node', 'int', ['null', 'node']))
  assert.ok(type.kind === 'record')
  const next = type.fields[1]?.type
  assert.ok(next?.kind === 'union')
  assert.equal(next.branches[1], type)
})

test('logical types that fit are kept, others leave their base', () => {
  const logical = (type: unknown, logicalType: string, more: object = {}) => {
    const [inner] = [parse({ type, logicalType, ...more })]
    return inner !== undefined && 'logical' in inner ? inner.logical : undefined
  }
  assert.equal(logical('int', 'date'), 'date')
  assert.equal(logical('int', 'time-millis'), 'timeMillis')
  assert.equal(logical('int', 'time-micros'), undefined)
  assert.equal(logical('long', 'time-micros'), 'timeMicros')
  assert.equal(logical('long', 'timestamp-millis'), 'timestampMillis')
  assert.equal(logical('long', 'local-timestamp-nanos'), 'localTimestampNanos')
  assert.equal(logical('long', 'date'), undefined)
  assert.equal(logical('long', 'toString'), undefined)
  assert.equal(logical('string', 'uuid'), 'uuid')
  assert.equal(logical('bytes', 'uuid'), undefined)
  assert.deepEqual(logical('bytes', 'decimal', { precision: 10, scale: 2 }), { precision: 10, scale: 2 })
  assert.deepEqual(logical('bytes', 'decimal', { precision: 10 }), { precision: 10, scale: 0 })
  assert.equal(logical('bytes', 'decimal', { precision: 2, scale: 3 }), undefined)
  assert.equal(logical('bytes', 'decimal', { precision: 0 }), undefined)
  const fixed = (size: number, logicalType: string, precision = 1) =>
    logical('fixed', logicalType, { name: 'f', size, precision })
  assert.equal(fixed(16, 'uuid'), 'uuid')
  assert.equal(fixed(15, 'uuid'), undefined)
  assert.deepEqual(fixed(4, 'decimal', 9), { precision: 9, scale: 0 })
  assert.equal(fixed(4, 'decimal', 10), undefined)
  assert.equal(fixed(12, 'duration'), undefined)
  assert.equal(logical('double', 'decimal', { precision: 3 }), undefined)
})

test('a schema may be a bare name, and a type within a type', () => {
  assert.deepEqual(parseSchema('string'), { kind: 'string' })
  assert.deepEqual(parse({ type: { type: 'long', logicalType: 'timestamp-micros' } }), {
    kind: 'long',
    logical: 'timestampMicros'
  })
})

test('what is no schema is refused, and says why', () => {
  const deep = (depth: number): unknown => (depth === 0 ? 'int' : { type: 'array', items: deep(depth - 1) })
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['nothing', /"nothing" is not known/],
    [7, /a name, an object or a list/],
    [{ type: 'record', name: 'r' }, /no list of fields/],
    [{ type: 'record', fields: [] }, /not the name of a type/],
    [{ type: 'record', name: 'a b', fields: [] }, /not the name of a type/],
    [{ type: 'record', name: 'long', fields: [] }, /is called long/],
    [{ type: 'record', name: 'r', fields: [{ name: 'a.b', type: 'int' }] }, /"a.b" in r/],
    [
      {
        type: 'record',
        name: 'r',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'a', type: 'int' }
        ]
      },
      /"a" twice/
    ],
    [{ type: 'record', name: 'r', fields: [null] }, /not an object/],
    [record('r', record('r')), /defined twice/],
    [['int', 'int'], /a type twice/],
    [['int', ['null']], /within a union/],
    [[], /no branches/],
    [{ type: 'enum', name: 'e', symbols: [] }, /list of symbols/],
    [{ type: 'enum', name: 'e', symbols: [1] }, /not text/],
    [{ type: 'fixed', name: 'f', size: -1 }, /size of f/],
    [{ type: 'fixed', name: 'f', size: 2 ** 40 }, /size of f/],
    [deep(40), /deeper than/],
    [record('r', ...Array.from({ length: 1001 }, () => 'int')), /more than 1000 fields/]
  ]
  for (const [schema, expected] of cases) {
    assert.throws(
      () => parse(schema),
      error => error instanceof SchemaError && expected.test(error.message),
      JSON.stringify(schema).slice(0, 80)
    )
  }
  assert.throws(() => parseSchema('{'), /not JSON/)
  assert.throws(() => parseSchema(`"${' '.repeat(2 << 20)}"`), /longer than/)
})
