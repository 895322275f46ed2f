import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import type { ColumnType, Field } from '../../../consumer/columns/schema.ts'
import { ndjsonChunks } from '../../../consumer/ndjson/encode.ts'
import { randomFrom } from '../../chaos/random.ts'
import { randomRow, randomSchema } from '../../fakes/columns.ts'
import { appended, field, groupOf, linesOf, linesOfColumn, parsed, schemaOf } from './lines.ts'

for (let seed = 1; seed <= 60; seed++) {
  test(`rows of random columns are read from their lines as they were appended (seed ${seed})`, () => {
    const random = randomFrom(seed, 0)
    const schema = randomSchema(random)
    const count = seed === 20 ? 20_000 : Math.floor(random() * 400)
    const rows = Array.from({ length: count }, () => randomRow(schema, random))
    const group = groupOf(schema, rows)
    const lines = linesOf(group, { maxBytes: 1 + Math.floor(random() * 5000) })
    assert.equal(lines.length, rows.length)
    for (const [index, line] of lines.entries())
      assert.deepEqual(parsed(schema.fields, line), appended(schema.fields, rows[index]))
    // What the row group gives is not used up.
    assert.deepEqual(linesOf(group), lines)
  })
}

test('members are in the order of the columns, nulls among them, without space between', () => {
  const fields = [
    field('b', 'string'),
    field('a "quoted" näme', 'int'),
    field('list', { list: 'int', elementNullable: true }),
    field('none', { list: 'int', elementNullable: true }),
    field('s', { struct: [field('x', 'boolean'), field('y', 'date')] })
  ]
  const row = { b: null, 'a "quoted" näme': 7, list: [1, null, 3], s: { x: true } }
  assert.deepEqual(linesOf(groupOf(schemaOf(...fields), [row, { list: [] }, { b: 'é' }])), [
    '{"b":null,"a \\"quoted\\" näme":7,"list":[1,null,3],"none":null,"s":{"x":true,"y":null}}',
    '{"b":null,"a \\"quoted\\" näme":null,"list":[],"none":null,"s":null}',
    '{"b":"é","a \\"quoted\\" näme":null,"list":null,"none":null,"s":null}'
  ])
})

test('fields are left out or called otherwise, and the long column is told all the same', () => {
  const fields = [field('offset', 'long'), field('a', 'int'), field('hidden', 'string'), field('b', 'string')]
  const memberOf = ({ name }: Field) => (['offset', 'hidden'].includes(name) ? undefined : name.toUpperCase())
  const group = groupOf(schemaOf(...fields), [
    { offset: 7n, a: 1, b: 'x' },
    { offset: 9n, a: 2, b: 'y' }
  ])
  assert.deepEqual(linesOf(group, { memberOf }), ['{"A":1,"B":"x"}', '{"A":2,"B":"y"}'])
  const chunks = [...ndjsonChunks(group, { memberOf, longColumn: 'offset', maxBytes: 1 })]
  assert.deepEqual(
    chunks.map(({ lastLong }) => lastLong),
    [7, 9]
  )
  assert.deepEqual(linesOf(group, { memberOf: () => undefined }), ['{}', '{}'])
})

test('a map is an object when its keys are text, else pairs', () => {
  const map = (key: ColumnType): ColumnType => ({ map: { key, value: 'int', valueNullable: true } })
  assert.deepEqual(
    linesOfColumn(map('string'), [
      new Map([
        ['k "1"', 1],
        ['b', null]
      ] as const),
      new Map(),
      null
    ]),
    ['{"k \\"1\\"":1,"b":null}', '{}', 'null']
  )
  assert.deepEqual(linesOfColumn(map('int'), [new Map([[1, 2]]), new Map()]), ['[{"key":1,"value":2}]', '[]'])
})

test('the value of a header is text, or base64 where it is none', () => {
  const header = { struct: [{ name: 'key', type: 'string', nullable: false }, field('value', 'binary')] } as const
  const headers = [
    { key: 'trace', value: Buffer.from('ü 1') },
    { key: 'raw', value: Buffer.from([0xff, 0x00]) },
    { key: 'none', value: null },
    { key: '', value: Buffer.alloc(0) }
  ]
  assert.deepEqual(linesOfColumn({ list: header, elementNullable: false }, [headers, []]), [
    '[{"key":"trace","value":"ü 1"},{"key":"raw","value":{"base64":"/wA="}},{"key":"none","value":null},{"key":"","value":""}]',
    '[]'
  ])
})

test('bytes of a field that may be text are text, or base64 where they are none', () => {
  const rows = [Buffer.from('{"ü":1}'), Buffer.from([0xff, 0x00]), Buffer.alloc(0), null].map(a => ({ a, b: a }))
  const group = groupOf(schemaOf(field('a', 'binary'), field('b', 'binary')), rows)
  assert.deepEqual(linesOf(group, { isMaybeText: ({ name }) => name === 'a' }), [
    '{"a":"{\\"ü\\":1}","b":"eyLDvCI6MX0="}',
    '{"a":{"base64":"/wA="},"b":"/wA="}',
    '{"a":"","b":""}',
    '{"a":null,"b":null}'
  ])
})

test('JSON stands in a line as text, or embedded without its line breaks', () => {
  const schema = schemaOf({ ...field('v', 'string'), isJson: true }, field('t', 'string'))
  const values = ['{"a":1}', '{\r\n  "a": "x\\ny",\n  "b": [1,\r2]\n}', ' 5', null, '\n{}\r', '"\u00e9"']
  const group = groupOf(
    schema,
    values.map(v => ({ v, t: '{"a":\n1}' }))
  )
  const asText = linesOf(group).map(line => JSON.parse(line) as { v: string | null; t: string })
  assert.deepEqual(
    asText,
    values.map(v => ({ v, t: '{"a":\n1}' }))
  )
  const embedded = linesOf(group, { embedJson: true })
  assert.equal(embedded[0], '{"v":{"a":1},"t":"{\\"a\\":\\n1}"}')
  assert.equal(embedded[1], '{"v":{    "a": "x\\ny",   "b": [1, 2] },"t":"{\\"a\\":\\n1}"}')
  assert.deepEqual(
    embedded.map(line => (JSON.parse(line) as { v: unknown }).v),
    values.map(v => (v === null ? null : (JSON.parse(v) as unknown)))
  )
})

for (const [text, isTaken] of [
  ['{"a":"\\ud83d\\ude00"}', true],
  ['{"a":"\\uD83D\\uDE00\\u00e9"}', true],
  ['{"a":"\\\\ud800"}', true],
  ['{"a":"\\\\\\ud800"}', false],
  ['{"a":"\\ud800"}', false],
  ['{"\\uDBff":\n1}', false],
  ['{"a":"\\ude00"}', false],
  ['{"a":"\\ud83d\\ude00\\ude00"}', false],
  ['{"a":"\\ud83d\\ud83d\\ude00"}', false],
  ['{"a":"\\ud83d", "b":"\\ude00"}', false],
  ['{"a":"\\ud83dx\\ude00"}', false]
] as const) {
  test(`JSON is embedded ${isTaken ? 'as it is' : 'as text, since readers refuse half a character'}: ${text}`, () => {
    const schema = schemaOf({ ...field('v', 'string'), isJson: true })
    // The page has some before and after it.
    const values = ['{"a":1}', text, '"\\ud83d\\ude00"', text, '{}']
    const group = groupOf(
      schema,
      values.map(v => ({ v }))
    )
    const said = (value: string) => (value === text && !isTaken ? JSON.stringify(value) : value)
    assert.deepEqual(
      linesOf(group, { embedJson: true }),
      values.map(value => `{"v":${said(value)}}`)
    )
  })
}

test('JSON of many sizes, with and without line breaks, is embedded whole', () => {
  const random = randomFrom(11, 0)
  const values = Array.from({ length: 3000 }, () => {
    const items = Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 300))
    return JSON.stringify(items, null, random() < 0.2 ? 1 : 0)
  })
  const schema = schemaOf({ ...field('v', 'string'), isJson: true })
  const group = groupOf(
    schema,
    values.map(v => ({ v }))
  )
  assert.deepEqual(
    linesOf(group, { embedJson: true }),
    values.map(v => `{"v":${v.replaceAll('\n', ' ')}}`)
  )
})

test('constants are in each line, also those that are null', () => {
  const schema = schemaOf(
    field('topic', 'string'),
    field('offset', 'long'),
    field('at', 'timestamp'),
    field('on', 'date'),
    field('part', 'int'),
    field('ok', 'boolean'),
    field('score', 'double'),
    field('never', { list: 'string', elementNullable: true }),
    field('text', 'string')
  )
  const group = new RowGroupBuffer(schema)
  const constants = { topic: 'a "b"', at: 1_700_000_000_000_001, on: 20_000, part: 3, ok: true, score: 0.5, text: null }
  for (const [name, value] of Object.entries(constants)) group.setConstant(name, value)
  for (const offset of [5, 6]) group.appendRow({ offset })
  const line = (offset: number) =>
    `{"topic":"a \\"b\\"","offset":${offset},"at":"2023-11-14T22:13:20.000001Z","on":"2024-10-04","part":3,"ok":true,"score":0.5,"never":null,"text":null}`
  assert.deepEqual(linesOf(group), [line(5), line(6)])
})

test('chunks are whole lines of at most so many bytes, a larger row alone', () => {
  const schema = schemaOf(field('offset', 'long'), field('text', 'string'))
  const random = randomFrom(3, 0)
  const rows = Array.from({ length: 500 }, (_, offset) => ({
    offset,
    text: 'x'.repeat(Math.floor(random() ** 4 * 3000))
  }))
  const group = groupOf(schema, rows)
  const whole = linesOf(group)
  for (const maxBytes of [1, 50, 1000, 4096, 100_000_000]) {
    const chunks = [...ndjsonChunks(group, { maxBytes, longColumn: 'offset' })]
    let next = 0
    for (const { bytes, rows, lastLong } of chunks) {
      assert.ok(bytes.length <= maxBytes || rows === 1)
      next += rows
      assert.equal(lastLong, next - 1)
    }
    assert.equal(next, 500)
    // Each could not have held the first line of the next.
    for (const [index, { bytes }] of chunks.slice(0, -1).entries()) {
      const following = chunks[index + 1]?.bytes ?? Buffer.alloc(0)
      assert.ok(bytes.length + following.indexOf('\n') + 1 > maxBytes)
    }
    assert.equal(Buffer.concat(chunks.map(({ bytes }) => bytes)).toString(), `${whole.join('\n')}\n`)
  }
})

test('the last long of a chunk may be null or a constant', () => {
  const schema = schemaOf(field('offset', 'long'), field('other', 'string'))
  const last = (group: RowGroupBuffer) =>
    [...ndjsonChunks(group, { maxBytes: 1, longColumn: 'offset' })].map(({ lastLong }) => lastLong)
  assert.deepEqual(last(groupOf(schema, [{ offset: 7 }, { offset: null }, { offset: 9 }])), [7, undefined, 9])
  assert.deepEqual(last(groupOf(schema, [{ other: 'a' }])), [undefined])
  const group = new RowGroupBuffer(schema)
  group.setConstant('offset', 12)
  group.appendRow({ other: 'b' })
  assert.deepEqual(last(group), [12])
  assert.throws(() => [...ndjsonChunks(group, { longColumn: 'other' })])
  assert.throws(() => [...ndjsonChunks(group, { longColumn: 'absent' })])
})

test('a row of many megabytes is one chunk; no rows are none', () => {
  const schema = schemaOf(field('a', 'string'), field('b', 'binary'))
  const text = '"ü\n'.repeat(2_000_000)
  const rows = [{ a: 'before' }, { a: text, b: Buffer.alloc(3_000_000, 1) }, { a: 'after' }]
  const chunks = [...ndjsonChunks(groupOf(schema, rows))]
  assert.deepEqual(
    chunks.map(chunk => chunk.rows),
    [1, 1, 1]
  )
  const large = JSON.parse(chunks[1]?.bytes.toString() ?? '') as { a: string; b: string }
  assert.ok(large.a === text && Buffer.from(large.b, 'base64').equals(Buffer.alloc(3_000_000, 1)))
  // The chunks after it do not keep its memory.
  assert.ok((chunks[2]?.bytes.buffer.byteLength ?? 0) < 1_000_000)
  assert.deepEqual([...ndjsonChunks(new RowGroupBuffer(schema))], [])
})

test('columns that came later are null in the rows before', () => {
  const [a, b] = [field('a', 'int'), field('b', { list: { struct: [field('x', 'string')] }, elementNullable: true })]
  const group = groupOf(schemaOf(a), [{ a: 1 }, { a: 2 }])
  assert.ok(group.extend(schemaOf(a, b)))
  group.appendRow({ a: 3, b: [{ x: 'y' }] })
  assert.deepEqual(linesOf(group), ['{"a":1,"b":null}', '{"a":2,"b":null}', '{"a":3,"b":[{"x":"y"}]}'])
})
