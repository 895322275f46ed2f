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

test('numbers go where they lose nothing, and are columns of their own elsewhere', async () => {
  const table = new JsonTable('NewColumn')
  const values = ['5', '1.5', '-7', '2.0', '1e3', `${2 ** 53 - 1}`, '9007199254740993', '12345678901234567890', '1e400']
  for (const value of values) assert.equal(table.add(`{"n": ${value}}`), undefined)
  assert.deepEqual(typesOf(table.columns), {
    n: 'long',
    n_double: 'double',
    n_decimal_38_0: { decimal: { precision: 38, scale: 0 } },
    n_string: 'string'
  })
  const rows = await table.rows()
  assert.deepEqual(
    rows.map(({ n }) => n),
    [5n, null, -7n, 2n, 1000n, 2n ** 53n - 1n, LONG, null, null]
  )
  assert.equal(rows[1]?.['n_double'], 1.5)
  assert.equal(rows[8]?.['n_string'], '1e400')
})

test('under DeadLetter a fraction is no value for a column of whole numbers', () => {
  const table = new JsonTable()
  assert.equal(table.add('{"n": 5}'), undefined)
  assert.match(String(table.add('{"n": 5.5}')), /^IncompatibleSchema: n is double/)
  assert.equal(table.add('{"n": 6}'), undefined)
})

test('what the table has decides what a number is, so that any consumer decides alike', async () => {
  const table = new JsonTable('NewColumn', [
    field('d', 'double'),
    field('i', 'int'),
    field('f', 'float'),
    field('p', { decimal: { precision: 5, scale: 2 } })
  ])
  assert.equal(table.add('{"D": 2, "i": 3, "f": 0.5, "p": 1.25}'), undefined)
  assert.equal(table.groups, 1)
  assert.equal(table.add('{"d": 9007199254740993, "p": 1.255}'), undefined)
  assert.deepEqual(Object.keys(typesOf(table.columns)), ['d', 'i', 'f', 'p', 'd_long', 'p_double'])
  assert.equal(table.add('{"i": 3000000000, "f": 0.1}'), undefined)
  assert.deepEqual(typesOf(table.columns)['i'], 'long')
  assert.deepEqual(typesOf(table.columns)['f'], 'double')
  const rows = await table.rows()
  assert.deepEqual([rows[0]?.['d'], rows[0]?.['i'], rows[0]?.['f'], rows[0]?.['p']], [2, 3, 0.5, 1.25])
  assert.deepEqual([rows[1]?.['d'], rows[1]?.['d_long'], rows[1]?.['p_double']], [null, LONG, 1.255])
})

test('arrays of one type are lists, others JSON text; a column of text takes any array', async () => {
  const table = new JsonTable('NewColumn')
  const values = ['[1, 2.5]', '[2]', '[1, "a"]', '[]', `[0.5, ${LONG}]`, '[[1], 2]', '[null]']
  for (const value of values) assert.equal(table.add(`{"l": ${value}}`), undefined)
  for (const value of ['[1, {"a": "é"}]', '[1, 2]', '[]', '"plain"', '[{"a": 1}, {"a": "x"}]']) {
    assert.equal(table.add(`{"t": ${value}}`), undefined)
  }
  assert.deepEqual(typesOf(table.columns), { l: { list: 'double' }, l_string: 'string', t: 'string' })
  const rows = await table.rows()
  assert.deepEqual(
    rows.slice(0, 7).map(({ l }) => l),
    [[1, 2.5], [2], null, [], null, null, [null]]
  )
  assert.deepEqual(
    rows.slice(0, 7).map(row => row['l_string']),
    [null, null, '[1, "a"]', null, `[0.5, ${LONG}]`, '[[1], 2]', null]
  )
  assert.deepEqual(
    rows.slice(7).map(({ t }) => t),
    ['[1, {"a": "é"}]', '[1, 2]', '[]', 'plain', '[{"a": 1}, {"a": "x"}]']
  )
})

test('conflicts within structs are settled within structs, the same way every time', async () => {
  const table = new JsonTable('NewColumn')
  const values = [
    '{"a": 1}',
    '{"a": 1.5}',
    '"text"',
    '{"a": 2, "b": {}}',
    '{"A": 2.5}',
    '{}',
    'null',
    '{"b": {"c": true}}'
  ]
  for (const value of values) assert.equal(table.add(`{"s": ${value}}`), undefined)
  const rows = await table.rows()
  assert.deepEqual(typesOf(table.columns), {
    s: { struct: ['a long', 'a_double double', 'b struct'] },
    s_string: 'string'
  })
  const part = (a: unknown, aDouble: unknown) => ({ a, a_double: aDouble })
  assert.deepEqual(
    rows.slice(1, 7).map(({ s }) => s),
    [part(null, 1.5), null, part(2n, null), part(null, 2.5), part(null, null), null]
  )
  const taken = new JsonTable('NewColumn', [field('s', 'string')])
  for (const value of ['{"a": 1.5}', '{"a": 2}']) assert.equal(taken.add(`{"s": ${value}}`), undefined)
  assert.deepEqual(typesOf(taken.columns), { s: 'string', s_struct: { struct: ['a double'] } })
})

test('null says nothing: a column begins with its first value, and nothing flips back', () => {
  const table = new JsonTable()
  const seen = new Set<unknown>()
  for (const value of ['null', '[]', '{}', '[null]', '[{}]', '{"x": null}']) {
    assert.equal(table.add(`{"a": 1, "late": ${value}}`), undefined)
  }
  assert.deepEqual(Object.keys(typesOf(table.columns)), ['a'])
  assert.equal(table.groups, 1)
  for (let count = 0; count < 20; count++) {
    assert.equal(table.add(count % 2 === 0 ? '{"late": "x"}' : '{"a": 1, "late": null}'), undefined)
    if (count > 1) seen.add(table.reader.fields)
  }
  assert.equal(table.groups, 2)
  assert.equal(seen.size, 1, 'the same array for records that bring nothing new')
})

test('a dead letter leaves no trace, and the same conflict has the same fields', () => {
  const table = new JsonTable('DeadLetter', [field('a', 'long')])
  assert.equal(table.add('{"a": 1, "b": "x"}'), undefined)
  assert.equal(table.add('{"a": 1, "b": "x"}'), undefined)
  const { fields } = table.reader
  assert.match(String(table.add('{"a": "no", "new": 1}')), /^IncompatibleSchema/)
  const conflict = table.reader.fields
  assert.equal(table.add('{"b": "y"}'), undefined)
  assert.equal(table.reader.fields, fields)
  assert.match(String(table.add('{"new": 2, "a": "never"}')), /^IncompatibleSchema/)
  assert.match(String(table.add('{"a": "no", "new": 3}')), /^IncompatibleSchema/)
  assert.equal(table.reader.fields, conflict)
  assert.deepEqual(Object.keys(typesOf(table.columns)), ['a', 'b'])
})

test('a member that fitted before its record was refused has its value in the next one', async () => {
  const table = new JsonTable('DeadLetter', [field('a', 'long'), field('b', 'long')])
  assert.equal(table.add('{"a": 1, "b": {"x": 1, "x": 2}}'), 'DuplicateKey')
  assert.equal(table.add('{"a": 2, "b": 3}'), undefined)
  assert.deepEqual(await table.rows(), [{ _row: 0, a: 2n, b: 3n }])
})

test('a tombstone is a row without values', async () => {
  const table = new JsonTable()
  assert.equal(table.add('{"a": 1, "l": [1]}'), undefined)
  assert.equal(table.add(null), undefined)
  assert.equal(table.groups, 1)
  assert.deepEqual((await table.rows())[1], { _row: 1, a: null, l: null })
})

test('parts that another writer made required may be absent all the same', async () => {
  const required: Field = { name: 'r', type: 'long', nullable: false }
  const table = new JsonTable('DeadLetter', [required, field('s', { struct: [required] })])
  assert.equal(table.add('{"r": 1, "s": {"r": 2}}'), undefined)
  assert.equal(table.add('{"s": {}}'), undefined)
  assert.deepEqual(await table.rows(), [
    { _row: 0, r: 1n, s: { r: 2n } },
    { _row: 1, r: null, s: { r: null } }
  ])
})

test('rules see the values of the record by the names of its fields', () => {
  const table = new JsonTable()
  const add = (text: string) => assert.equal(table.add(text), undefined)
  add(
    `{"s": "a\\n", "i": ${LONG}, "d": 1.5, "b": false, "o": {"a": 1, "w": 12345678901234567890}, "l": [{"a": "x"}], "n": null}`
  )
  const { reader } = table
  assert.deepEqual(
    ['s', 'i', 'd', 'b', 'n', 'nowhere'].map(name => reader.value(name)),
    ['a\n', LONG, 1.5, false, undefined, undefined]
  )
  assert.deepEqual({ ...(reader.value('o') as object) }, { a: 1, w: Number('12345678901234567890') })
  assert.deepEqual({ ...(reader.value('l') as object[])[0] }, { a: 'x' })
  add('{"d": 2}')
  add('{"d": 2}')
  assert.deepEqual(
    ['d', 's', 'o'].map(name => reader.value(name)),
    [2, null, null]
  )
})

const field = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })

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
