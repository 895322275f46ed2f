import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field } from '../../../consumer/columns/schema.ts'
import { JsonTable } from '../../fakes/json-table.ts'

const LONG = 9007199254740993n

test('members become columns by what they are', async () => {
  const table = new JsonTable()
  const value = `{"s": "text", "e": "a\\u00e9\\n\\ud83d\\ude00", "i": ${LONG}, "d": 1.5, "x": 1e3, "b": true, "n": null,
    "o": {"a": 1, "o": {"b": "x"}, "e": {}}, "l": [1, 2], "lo": [{"a": 1}, {"b": "x"}, null, {}], "ll": [[1], [], [null]],
    "w": 12345678901234567890, "el": [], "eo": {}, "nl": [null, []]}`
  assert.equal(table.add(value), undefined)
  assert.deepEqual(typesOf(table.columns), {
    s: 'string',
    e: 'string',
    i: 'long',
    d: 'double',
    x: 'double',
    b: 'boolean',
    o: { struct: ['a long', 'o struct'] },
    l: { list: 'long' },
    lo: { list: { struct: ['a long', 'b string'] } },
    ll: { list: { list: 'long' } },
    w: { decimal: { precision: 38, scale: 0 } }
  })
  const [row] = await table.rows()
  assert.deepEqual(row, {
    _row: 0,
    s: 'text',
    e: 'aé\n😀',
    i: LONG,
    d: 1.5,
    x: 1000,
    b: true,
    o: { a: 1n, o: { b: 'x' } },
    l: [1n, 2n],
    lo: [{ a: 1n, b: null }, { a: null, b: 'x' }, null, { a: null, b: null }],
    ll: [[1n], [], [null]],
    w: row?.['w']
  })
  assert.equal(Number(row?.['w']), Number('12345678901234567890'))
})

/** Types in short: structs by the names and kinds of their fields. */
function typesOf(fields: readonly Field[]): Record<string, unknown> {
  const short = (type: Field['type']): unknown => {
    if (typeof type === 'string') return type
    if ('struct' in type) {
      return {
        struct: type.struct.map(each => {
          const inner = short(each.type)
          return `${each.name} ${typeof inner === 'string' ? inner : Object.keys(inner as object).join('')}`
        })
      }
    }
    return 'list' in type ? { list: short(type.list) } : type
  }
  return Object.fromEntries(fields.map(({ name, type }) => [name, short(type)]))
}
