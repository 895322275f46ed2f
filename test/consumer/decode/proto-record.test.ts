import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { ProtoRecords } from '../../../consumer/decode/proto-record.ts'
import { ProtoScanner } from '../../../consumer/decode/proto-scanner.ts'
import { encodeParquet } from '../../../consumer/parquet/file.ts'
import { parseProto } from '../../../consumer/protobuf/parse-proto.ts'
import type { ProtoMessage } from '../../../consumer/protobuf/type.ts'
import { randomFrom } from '../../chaos/random.ts'
import { bindAll } from '../../fakes/columns.ts'
import { pagesOf, rowsOf } from '../../fakes/parquet.ts'
import { encodeProto, otherMessage, randomMessage } from '../../fakes/protobuf.ts'

const first = (text: string): ProtoMessage => parseProto(text, []).message([0]) as ProtoMessage

const recordsOf = (text: string) => new ProtoRecords(first(text), dialectOf('iceberg'), new ProtoScanner())

/** Within other bytes, which must not be looked at. */
function check(records: ProtoRecords, value: Uint8Array): string | undefined {
  const bytes = Buffer.concat([Buffer.from('before'), value, Buffer.from('after')])
  return records.check(bytes, 6, 6 + value.length)
}

/** Rows of values, as another reader has them. */
async function read(text: string, ...values: readonly Uint8Array[]) {
  const records = recordsOf(text)
  const schema = { fields: records.fields, partitionBy: [] }
  const rows = new RowGroupBuffer(schema)
  for (const value of values) {
    assert.equal(check(records, value), undefined)
    records.append(rows, bindAll(records.fields))
    rows.endRow()
  }
  return rowsOf(encodeParquet(schema, [rows]))
}

test('what another library writes becomes the same columns as the values themselves, for random schemas', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomFrom(seed, 11)
    const sample = randomMessage(random)
    const other = otherMessage(sample.text)
    const made = Array.from({ length: 1 + Math.floor(random() * 20) }, () => sample.make())
    const records = recordsOf(sample.text)
    const schema = { fields: records.fields, partitionBy: [] }
    const [rows, expected] = [new RowGroupBuffer(schema), new RowGroupBuffer(schema)]
    for (const { written, row } of made) {
      assert.equal(check(records, encodeProto(other, written)), undefined, `seed ${seed}: ${sample.text}`)
      records.append(rows, bindAll(records.fields))
      rows.endRow()
      expected.appendRow(row)
    }
    assert.deepEqual(pagesOf(rows), pagesOf(expected), `seed ${seed}: ${sample.text}`)
    assert.equal((await rowsOf(encodeParquet(schema, [rows]))).length, made.length)
  }
})

const TEXT = `syntax = "proto3";
import "google/protobuf/struct.proto"; import "google/protobuf/any.proto"; import "google/protobuf/duration.proto";
message M { int32 id = 1; string name = 2; Node node = 3; repeated int32 numbers = 4;
  oneof kind { int64 a = 5; Node b = 6; } Empty empty = 7; google.protobuf.Struct struct = 8; google.protobuf.Any any = 9;
  google.protobuf.Duration took = 10; Color color = 11; Tree tree = 12; map<string, Node> nodes = 13; uint64 big = 14; }
message Node { int32 x = 1; optional int32 y = 2; repeated string tags = 3; }
message Tree { int64 value = 1; repeated Tree children = 2; map<string, Tree> named = 3; bytes raw = 4; Color color = 5; }
message Empty {}
enum Color { NONE = 0; RED = 1; ROT = 1; reserved 3; }`.replace('NONE = 0;', 'option allow_alias = true; NONE = 0;')

test('what has no shape of its own is text of JSON', async () => {
  const other = otherMessage(TEXT)
  const leaf = { value: '9007199254740993', raw: Buffer.from('hi'), color: 1 }
  const [row] = await read(
    TEXT,
    encodeProto(other, {
      tree: { children: [leaf, {}], named: { constructor: { value: 1 } } },
      empty: {},
      struct: {
        fields: {
          n: { numberValue: 1.5 },
          l: { listValue: { values: [{ nullValue: 0 }, { boolValue: true }] } },
          s: { structValue: {} }
        }
      },
      any: { type_url: 'x/y', value: Buffer.from([1]) },
      took: { seconds: 3, nanos: 5 }
    })
  )
  assert.deepEqual(row?.['tree'], {
    value: 0n,
    children: ['{"value":9007199254740993,"raw":"aGk=","color":"RED"}', '{}'],
    named: { constructor: '{"value":1}' },
    raw: new Uint8Array(),
    color: 'NONE'
  })
  assert.equal(row['empty'], '{}')
  assert.equal(row['struct'], '{"n":1.5,"l":[null,true],"s":{}}')
  assert.equal(row['any'], '{"type_url":"x/y","value":"AQ=="}')
  assert.deepEqual(row['took'], { seconds: 3n, nanos: 5 })
})

test('what is not set is its default or null, and a tombstone of fields is none of both', async () => {
  const [row] = await read(TEXT, Buffer.alloc(0))
  assert.deepEqual(row, {
    id: 0,
    name: '',
    node: null,
    numbers: [],
    a: null,
    b: null,
    empty: null,
    struct: null,
    any: null,
    took: null,
    color: 'NONE',
    tree: null,
    nodes: {},
    big: 0
  })
})

test('the last value counts, messages in pieces are merged, and of a oneof only the last member is set', async () => {
  const other = otherMessage(TEXT)
  const pieces = [
    { id: 1, name: 'one', node: { x: 1, tags: ['a'] }, numbers: [1, 2], a: 5, nodes: { k: { x: 1 } } },
    { id: 2, node: { y: 2, tags: ['b'] }, numbers: [3], b: { x: 3 }, nodes: { k: { y: 2 } } },
    { b: { y: 4 } }
  ].map(piece => encodeProto(other, piece))
  const [merged, again] = await read(
    TEXT,
    Buffer.concat(pieces),
    Buffer.concat([...pieces, encodeProto(other, { a: 6 })])
  )
  assert.deepEqual(
    ['id', 'name', 'node', 'numbers', 'a', 'b', 'nodes'].map(name => merged?.[name]),
    [
      2,
      'one',
      { x: 1, y: 2, tags: ['a', 'b'] },
      [1, 2, 3],
      null,
      { x: 3, y: 4, tags: [] },
      { k: { x: 0, y: 2, tags: [] } }
    ]
  )
  assert.deepEqual([again?.['a'], again?.['b']], [6n, null])
})

test('fields that the schema does not have are passed over, groups too', async () => {
  const group = Buffer.from([0x9b, 0x06, 0x08, 0x01, 0xa3, 0x06, 0xa4, 0x06, 0x9c, 0x06])
  const others = Buffer.concat([
    group,
    Buffer.from([0x98, 0x06, 5, 0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x9a, 0x06, 1, 65, 0x9d, 0x06, 1, 2, 3, 4])
  ])
  const own = encodeProto(otherMessage(TEXT), { id: 7, color: 55 })
  const [row] = await read(TEXT, Buffer.concat([others, own, others]))
  assert.deepEqual([row?.['id'], row?.['color']], [7, '55'])
})

test('rules see plain values', () => {
  const records = recordsOf(TEXT)
  const value = { id: 1, name: 'ü', node: { x: 1 }, numbers: [1], a: '9007199254740993', nodes: { k: {} }, big: 5 }
  assert.equal(check(records, encodeProto(otherMessage(TEXT), value)), undefined)
  const node = (x: number) => Object.assign(Object.create(null) as object, { x, y: null, tags: [] })
  assert.deepEqual(
    ['id', 'name', 'node', 'numbers', 'a', 'nodes', 'big', 'color', 'b', 'tree', 'none'].map(name =>
      records.value(name)
    ),
    [1, 'ü', node(1), [1], 9007199254740993n, new Map([['k', node(0)]]), 5n, 'NONE', null, null, undefined]
  )
})

test('fields get types that hold all their values', () => {
  const { fields } = recordsOf(TEXT)
  assert.deepEqual(
    fields.map(({ name, type, nullable }) => [name, typeof type === 'string' ? type : Object.keys(type)[0], nullable]),
    [
      ['id', 'int', false],
      ['name', 'string', false],
      ['node', 'struct', true],
      ['numbers', 'list', false],
      ['a', 'long', true],
      ['b', 'struct', true],
      ['empty', 'string', true],
      ['struct', 'string', true],
      ['any', 'string', true],
      ['took', 'struct', true],
      ['color', 'string', false],
      ['tree', 'struct', true],
      ['nodes', 'map', false],
      ['big', 'decimal', false]
    ]
  )
})
