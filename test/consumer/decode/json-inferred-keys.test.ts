import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonTable } from '../../fakes/json-table.ts'

test('keys become names that engines take', async () => {
  const table = new JsonTable()
  const keys = [
    'a-b',
    'with space',
    'größe',
    '年齢',
    '2nd',
    '',
    'x.y',
    '__proto__',
    'constructor',
    '\u{1f600}!',
    'a\\"c'
  ]
  const text = keys.map((key, index) => `"${key}": ${index}, "in${index}": {"${key}": ${index}}`).join(', ')
  assert.equal(table.add(`{${text}}`), undefined)
  const names = ['a_b', 'with_space', 'größe', '年齢', '_2nd', '_', 'x_y', '__proto__', 'constructor']
  assert.deepEqual(
    table.columns
      .filter((_, index) => index % 2 === 0)
      .map(({ name }) => name)
      .slice(0, 9),
    names
  )
  const [row] = await table.rows()
  for (const [index, name] of names.entries()) {
    assert.equal(
      Object.getOwnPropertyDescriptor(row, name)?.value ?? (name === '__proto__' ? 7n : null),
      BigInt(index),
      name
    )
  }
})

test('two members that would be one column make a dead letter, at any depth', () => {
  const table = new JsonTable()
  for (const members of [
    '"a": 1, "a": 1',
    '"a": null, "a": 1',
    '"a": 1, "\\u0061": 2',
    '"a": 1, "A": 2',
    '"x-y": 1, "x_y": 2'
  ]) {
    assert.equal(table.add(`{${members}}`), 'DuplicateKey', members)
    assert.equal(table.add(`{"o": {${members}}}`), 'DuplicateKey', members)
    assert.equal(table.add(`{"l": [1, {"o": {${members}}}]}`), 'DuplicateKey', members)
    assert.equal(table.add(`{${members}`), 'InvalidJson', members)
  }
  assert.equal(table.columns.length, 0)
})

test('what is no object, or too much of one, is a dead letter', () => {
  const table = new JsonTable()
  for (const value of ['7', '"x"', 'null', '[{"a": 1}]', ' true ']) assert.equal(table.add(value), 'NotAnObject', value)
  for (const value of ['', '{', '{"a"}', '{"a": 1} x', '{"a": 01}', '{"a": -}', '{"a": 1-}']) {
    assert.equal(table.add(value), 'InvalidJson', value)
  }
  assert.equal(table.add(Buffer.from('{"a": "\xff"}', 'latin1')), 'InvalidUtf8')
  assert.equal(table.add(`{"${'k'.repeat(129)}": 1}`), 'UnsupportedSchema')
  assert.equal(table.add(`{"o": {"${'\\u00e4'.repeat(129)}": 1}}`), 'UnsupportedSchema')
  assert.equal(table.add(`{"${'\\u00e4'.repeat(128)}": 1}`), undefined)
  const many = Array.from({ length: 1001 }, (_, index) => `"k${index}": 1`).join(', ')
  assert.equal(table.add(`{${many}}`), 'UnsupportedSchema')
  assert.equal(table.add(`{"o": {${many}}}`), 'UnsupportedSchema')
  assert.equal(table.columns.length, 1)
})

test('what lies deeper than 32 containers is JSON text', async () => {
  const table = new JsonTable()
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  assert.equal(table.add(nested(40)), undefined)
  let [row]: unknown[] = await table.rows()
  for (let depth = 0; depth < 32; depth++) row = (row as Record<string, unknown>)['a']
  assert.equal(row, nested(8))
  assert.equal(table.add(nested(1000)), undefined)
  assert.equal(table.add(nested(1001)), 'InvalidJson')
})

test('a record of too many values is a dead letter, wherever they are', () => {
  const table = new JsonTable()
  const ones = (count: number) => `[${'1,'.repeat(count - 1)}1]`
  assert.equal(table.add(`{"l": ${ones(99_990)}}`), undefined)
  assert.equal(table.add(`{"l": ${ones(100_001)}}`), 'UnsupportedSchema')
  assert.equal(table.add(`{"l": ${ones(60_000)}, "o": {"l": [[${ones(60_000)}], 1]}}`), 'UnsupportedSchema')
  assert.equal(table.add(`{"l": ${ones(99_990)}}`), undefined)
})

test('keys made to have one hash are columns like others', async () => {
  const table = new JsonTable()
  const keys = Array.from({ length: 200 }, (_, index) =>
    Array.from({ length: 8 }, (_unused, bit) => ((index >> bit) & 1 ? 'Aa' : 'BB')).join('')
  )
  const members = keys.map((key, index) => `"${key}": ${index}`).join(', ')
  for (let count = 0; count < 3; count++) assert.equal(table.add(`{"o": {${members}}, ${members}}`), undefined)
  const rows = await table.rows()
  for (const row of rows) {
    assert.deepEqual(
      keys.map(key => row[key]),
      keys.map((_, index) => BigInt(index))
    )
  }
})

test('keys without end are forgotten, and columns stay right', async () => {
  const table = new JsonTable()
  for (let count = 0; count < 6000; count++) {
    assert.equal(table.add(`{"k${count}": null, "o": {"k${count}": null, "x": ${count}}, "n": ${count}}`), undefined)
  }
  const rows = await table.rows()
  assert.ok(rows.every(({ _row, n, o }) => n === BigInt(_row as number) && (o as { x: bigint }).x === n))
  assert.equal(table.groups, 1)
})
