import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SchemaError } from '../../../consumer/schema-limits.ts'
import { jsonSchemaFields } from '../../../consumer/decode/json-schema.ts'

const typeOf = (property: unknown, definitions: Record<string, unknown> = {}): unknown => {
  const [field] = jsonSchemaFields(
    JSON.stringify({ type: 'object', properties: { x: property }, definitions }),
    []
  ).fields
  return field?.takesAll === true ? 'text' : field?.type
}
const struct = (types: Record<string, unknown>) => ({
  struct: Object.entries(types).map(([name, type]) => ({ name, type, nullable: true }))
})
const list = (type: unknown) => ({ list: type, elementNullable: true })

test('what a property may be decides the type of its column', () => {
  const object = { type: 'object', properties: { a: { type: 'integer' }, b: { $ref: '#/definitions/s' } } }
  const definitions = {
    s: { type: 'string' },
    'a/b~c d': { type: 'boolean' },
    tree: {
      type: 'object',
      properties: { v: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/definitions/tree' } } }
    },
    loop: { $ref: '#/definitions/loop' }
  }
  const cases: readonly (readonly [property: unknown, type: unknown])[] = [
    [{ type: 'string' }, 'string'],
    [{ type: 'integer' }, 'long'],
    [{ type: 'number' }, 'double'],
    [{ type: 'boolean' }, 'boolean'],
    [{ type: 'string', format: 'date-time' }, 'timestamp'],
    [{ type: 'string', format: 'date' }, 'date'],
    [{ type: 'string', format: 'uuid' }, 'uuid'],
    [{ type: 'string', format: 'time' }, 'string'],
    [{ type: ['null', 'integer'] }, 'long'],
    [{ type: ['integer', 'number'] }, 'double'],
    [{ type: ['string', 'integer'] }, 'text'],
    [{ enum: ['a', 'b', null] }, 'string'],
    [{ enum: [1, 2] }, 'long'],
    [{ enum: [1, 2.5] }, 'double'],
    [{ enum: [1, 'a'] }, 'text'],
    [{ const: true }, 'boolean'],
    [{ oneOf: [{ type: 'null' }, { type: 'string', format: 'date' }] }, 'date'],
    [{ anyOf: [{ $ref: '#/definitions/s' }, { const: null }] }, 'string'],
    [{ oneOf: [{ type: 'string' }, { type: 'string', pattern: 'x' }] }, 'string'],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, 'text'],
    [{ oneOf: [object, { type: 'string' }] }, 'text'],
    [object, struct({ a: 'long', b: 'string' })],
    [{ properties: { a: { type: 'integer' } } }, struct({ a: 'long' })],
    [{ type: 'array', items: object }, list(struct({ a: 'long', b: 'string' }))],
    [{ type: 'array', items: { type: 'array', items: { type: 'number' } } }, list(list('double'))],
    [{ type: 'array', items: { type: ['string', 'integer'] } }, 'text'],
    [{ type: 'array', items: [{ type: 'string' }] }, 'text'],
    [{ type: 'array', prefixItems: [{ type: 'string' }] }, 'text'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'text'],
    [{ allOf: [object, { properties: { c: { type: 'boolean' } } }] }, struct({ a: 'long', b: 'string', c: 'boolean' })],
    [{ $ref: '#/definitions/a~1b~0c%20d' }, 'boolean'],
    [
      { $ref: '#/definitions/tree' },
      {
        struct: [
          { name: 'v', type: 'long', nullable: true },
          { name: 'children', type: 'string', nullable: true, takesAll: true }
        ]
      }
    ],
    [{ $ref: '#/definitions/loop' }, 'text'],
    [{}, undefined],
    [true, undefined],
    [{ type: 'null' }, undefined],
    [{ type: 'object' }, undefined],
    [{ type: 'array' }, undefined]
  ]
  for (const [property, type] of cases) assert.deepEqual(typeOf(property, definitions), type, JSON.stringify(property))
})

test('properties become columns with names that tables take, the first of two alike', () => {
  const text = JSON.stringify({
    title: 'Order',
    allOf: [{ properties: { 'x-y': { type: 'string', description: 'Of both.' }, constructor: { type: 'integer' } } }],
    properties: { id: { type: 'integer' }, ID: { type: 'string' }, ['n'.repeat(200)]: { type: 'string' } }
  })
  assert.deepEqual(jsonSchemaFields(text, []), {
    title: 'Order',
    fields: [
      { name: 'id', type: 'long', nullable: true },
      { name: 'x_y', type: 'string', nullable: true, comment: 'Of both.' },
      { name: 'constructor', type: 'long', nullable: true }
    ]
  })
})

test('schemas refer to each other by name and by id', () => {
  const references = [
    {
      name: 'place.json',
      text: JSON.stringify({
        $id: 'http://acme/place.json',
        type: 'object',
        properties: { lat: { $ref: '#/$defs/n' } },
        $defs: { n: { type: 'number' } }
      })
    }
  ]
  const refs = ['place.json', 'place.json#/properties/lat', 'http://acme/place.json', 'http://acme/place.json#']
  const properties = Object.fromEntries(refs.map((ref, index) => [`p${index}`, { $ref: ref }]))
  const { fields } = jsonSchemaFields(JSON.stringify({ $id: 'http://acme/order.json', properties }), references)
  const place = struct({ lat: 'double' })
  assert.deepEqual(
    fields.map(({ type }) => type),
    [place, 'double', place, place]
  )
})

test('what is no schema, or has no end, is an error of the schema', () => {
  const wide = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`p${index}`, { type: 'string' }]))
  const level = (depth: number) => ({
    type: 'object',
    properties: { a: { $ref: `#/d/${depth}` }, b: { $ref: `#/d/${depth}` } }
  })
  const unfolded = {
    properties: { a: { $ref: '#/d/1' } },
    d: Object.fromEntries(Array.from({ length: 25 }, (_, index) => [index, level(index + 1)]))
  }
  const bad: readonly (readonly [text: string, why: RegExp])[] = [
    ['{', /not JSON/],
    [`"${'x'.repeat(1 << 20)}"`, /longer/],
    [JSON.stringify({ properties: { a: { $ref: 'other.json' } } }), /refers to other\.json/],
    [JSON.stringify({ properties: { a: { $ref: '#/definitions/none' } } }), /not there/],
    [JSON.stringify({ properties: { a: { $ref: '#anchor' } } }), /not there/],
    [JSON.stringify({ properties: wide }), /more than 1000 columns/],
    [JSON.stringify(unfolded), /more than 1000 columns/],
    [JSON.stringify({ allOf: [{ $ref: '#/d' }], d: { allOf: [{ $ref: '#/d' }, { $ref: '#/d' }] } }), /too many parts/]
  ]
  for (const [text, why] of bad)
    assert.throws(
      () => jsonSchemaFields(text, []),
      (error: unknown) => error instanceof SchemaError && why.test(error.message)
    )
  for (const text of ['true', '[]', '{}', '{"$ref":"#"}', '{"type":"string"}', '{"allOf":[{"$ref":"#"}]}'])
    assert.deepEqual(jsonSchemaFields(text, []).fields, [])
})
