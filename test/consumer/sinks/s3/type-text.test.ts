import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optional } from '../../../../consumer/columns/evolve.ts'
import type { ColumnType, Field } from '../../../../consumer/columns/schema.ts'
import { joinedType, parseType, typeText } from '../../../../consumer/sinks/s3/type-text.ts'
import { randomFrom } from '../../../chaos/random.ts'
import { randomSchema } from '../../../fakes/columns.ts'

const withoutComments = (type: ColumnType): unknown =>
  JSON.parse(JSON.stringify(type, (key, value: unknown) => (key === 'comment' ? undefined : value)))

test('types are read as they were written, for random schemas', () => {
  for (let seed = 0; seed < 300; seed++) {
    for (const { type } of randomSchema(randomFrom(seed, 31)).fields)
      assert.deepEqual(parseType(typeText(type)), withoutComments(optional(type)), typeText(type))
  }
  const odd: Field = {
    name: 'a "b\\" <c>, d: é\n',
    type: { map: { key: 'int', value: { fixed: 7 }, valueNullable: true } },
    nullable: true
  }
  assert.deepEqual(parseType(typeText({ struct: [odd, odd] })), { struct: [odd, odd] })
})

test('what is no type of ours has none', () => {
  for (const text of [
    '',
    'variant',
    'long ',
    'decimal',
    'decimal(0, 0)',
    'decimal(3,1)',
    'fixed(0)',
    'list<>',
    'list<long',
    'map<long>',
    'struct<>',
    'struct<a: long>',
    'struct<"a" long>',
    'struct<"a": long,>',
    `${'list<'.repeat(200)}long${'>'.repeat(200)}`
  ])
    assert.equal(parseType(text), undefined, text)
})

test('a join has the fields of both, whoever comes first, and joining again changes nothing', () => {
  const [a, b] = [
    parseType('struct<"x": long, "y": list<struct<"p": date>>>'),
    parseType('struct<"y": list<struct<"q": uuid>>, "z": map<string, struct<"r": time>>>')
  ]
  assert.ok(a !== undefined && b !== undefined)
  const joined = joinedType(a, b)
  assert.ok(joined !== undefined)
  assert.equal(
    typeText(joined),
    'struct<"x": long, "y": list<struct<"p": date, "q": uuid>>, "z": map<string, struct<"r": time>>>'
  )
  assert.equal(joinedType(joined, a), joined)
  assert.equal(joinedType(joined, b), joined)
  for (const [one, other] of [
    ['long', 'int'],
    ['list<long>', 'long'],
    ['map<int, long>', 'map<long, long>'],
    ['struct<"a": long>', 'struct<"A": long>'],
    ['struct<"a": list<long>>', 'struct<"a": list<double>>']
  ] as const)
    assert.equal(joinedType(parseType(one) as ColumnType, parseType(other) as ColumnType), undefined)
})
