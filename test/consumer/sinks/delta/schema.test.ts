import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field, TableSchema } from '../../../../consumer/columns/schema.ts'
import { deltaSchema, missingFields, type DeltaSchema } from '../../../../consumer/sinks/delta/schema.ts'

const table = (...fields: Field[]): TableSchema => ({ fields, partitionBy: [] })
const field = (name: string, type: Field['type'], nullable = true): Field => ({ name, type, nullable })
const delta = (...fields: Field[]): DeltaSchema => deltaSchema(table(...fields), 't')

test('types are in the words of Delta; nothing below a list or a map forbids nulls', () => {
  const pair = { struct: [field('key', 'string', false), field('value', 'binary')] }
  assert.deepEqual(
    delta(
      field('n', 'int', false),
      { ...field('at', 'timestamp'), comment: 'when' },
      field('headers', { list: pair, elementNullable: false })
    ).fields,
    [
      { name: 'n', type: 'integer', nullable: false, metadata: {} },
      { name: 'at', type: 'timestamp', nullable: true, metadata: { comment: 'when' } },
      {
        name: 'headers',
        type: {
          type: 'array',
          containsNull: false,
          elementType: {
            type: 'struct',
            fields: [
              { name: 'key', type: 'string', nullable: true, metadata: {} },
              { name: 'value', type: 'binary', nullable: true, metadata: {} }
            ]
          }
        },
        nullable: true,
        metadata: {}
      }
    ]
  )
})

test('names that Delta forbids or cannot tell apart are refused with the remedy', () => {
  for (const name of ['a b', 'a,b', 'a;b', 'a{', 'a(b)', 'a=b', 'a\nb', '']) {
    assert.throws(() => delta(field(name, 'string')), /InvalidColumnName|Rename/, name)
  }
  assert.throws(() => delta(field('Id', 'string'), field('id', 'string')), /ignores case/)
})

test('what an existing table lacks is added as nullable; what it has besides stays', () => {
  const existing = delta(field('a', 'string'), field('theirs', 'double'))
  const missing = missingFields(existing, delta(field('a', 'string'), field('b', 'long', false)), 't')
  assert.deepEqual(missing, [{ name: 'b', type: 'long', nullable: true, metadata: {} }])
})

test('an existing table that cannot take our rows is refused, and the column named', () => {
  const cases: readonly [DeltaSchema, DeltaSchema, RegExp][] = [
    [delta(field('a', 'string')), delta(field('a', 'long')), /column a as string where the pipeline writes long/],
    [delta(field('A', 'string')), delta(field('a', 'string')), /spells column a as A/],
    [delta(field('a', 'string', false)), delta(field('a', 'string')), /forbids nulls in column a/],
    [delta(field('a', 'string'), field('b', 'string', false)), delta(field('a', 'string')), /requires column b/],
    [
      delta(field('a', { list: 'string', elementNullable: false })),
      delta(field('a', { list: 'string', elementNullable: true })),
      /column a/
    ],
    [delta(field('a', { struct: [field('x', 'int')] })), delta(field('a', { struct: [field('y', 'int')] })), /column a/]
  ]
  for (const [existing, ours, message] of cases) assert.throws(() => missingFields(existing, ours, 't'), message)
})
