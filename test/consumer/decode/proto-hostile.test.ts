import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { ProtoRecords } from '../../../consumer/decode/proto-record.ts'
import { ProtoScanner } from '../../../consumer/decode/proto-scanner.ts'
import { parseProto } from '../../../consumer/protobuf/parse-proto.ts'
import type { ProtoMessage } from '../../../consumer/protobuf/type.ts'
import { randomFrom } from '../../chaos/random.ts'
import { encodeProto, otherMessage, randomMessage } from '../../fakes/protobuf.ts'

const recordsOf = (text: string) =>
  new ProtoRecords(parseProto(text, []).message([0]) as ProtoMessage, dialectOf('iceberg'), new ProtoScanner())

/** Within other bytes, which must not be looked at. */
function check(records: ProtoRecords, value: Uint8Array): string | undefined {
  const bytes = Buffer.concat([Buffer.from([8, 1, 8, 1]), value, Buffer.from([8, 1, 8, 1])])
  return records.check(bytes, 4, 4 + value.length)
}

const proto3 = (body: string) => recordsOf(`syntax = "proto3"; import "google/protobuf/timestamp.proto"; ${body}`)

test('changed and cut bytes are refused or are a value: nothing else happens, and nothing is appended by half', () => {
  let [accepted, refused] = [0, 0]
  for (let seed = 0; seed < 50; seed++) {
    const random = randomFrom(seed, 12)
    const sample = randomMessage(random)
    const records = recordsOf(sample.text)
    const rows = new RowGroupBuffer({ fields: records.fields, partitionBy: [] })
    const bindings = records.fields.map(({ name }) => ({ source: name, target: name }))
    const value = encodeProto(otherMessage(sample.text), sample.make().written)
    for (let round = 0; round < 60; round++) {
      const changed = Buffer.from(
        value.subarray(0, round % 3 === 0 ? Math.floor(random() * value.length) : value.length)
      )
      for (let left = Math.ceil(random() * 3); left > 0 && changed.length > 0; left--)
        changed[Math.floor(random() * changed.length)] = random() < 0.4 ? 0xff : Math.floor(random() * 256)
      if (check(records, changed) !== undefined) {
        refused++
        continue
      }
      accepted++
      for (const { name } of records.fields) assert.notEqual(records.value(name), undefined)
      records.append(rows, bindings)
      rows.endRow()
    }
    const { leaves } = rows.shape
    const flat = rows.columns.filter((_, index) => leaves[index]?.maxRepetition === 0)
    for (const column of flat) assert.equal(column.count, rows.rows)
    assert.doesNotThrow(() => rows.chunks())
  }
  assert.ok(accepted > 500 && refused > 500, `${accepted} were accepted, ${refused} refused`)
})

test('what is accepted has the numbers that another library reads', () => {
  const text =
    'syntax = "proto3"; message M { int32 a = 1; int64 b = 2; uint64 c = 3; sint64 d = 4; bool e = 5; uint32 f = 6; sint32 g = 7; }'
  const [records, other] = [recordsOf(text), otherMessage(text)]
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  for (let seed = 0; seed < 500; seed++) {
    const random = randomFrom(seed, 13)
    const length = 1 + Math.floor(random() * 10)
    const varint = Array.from(
      { length },
      (_, index) => Math.floor(random() * (index === 9 ? 2 : 128)) | (index === length - 1 ? 0 : 128)
    )
    const value = Buffer.from(names.flatMap((_, index) => [(index + 1) << 3, ...varint]))
    assert.equal(check(records, value), undefined)
    const read = other.toObject(other.decode(value), { longs: String, defaults: true })
    for (const name of names)
      assert.equal(String(records.value(name)), String(read[name]), `${name} of ${varint.join(' ')}`)
  }
})

test('bytes that are no message say why', () => {
  const records = proto3(`message M { int32 i = 1; string s = 2; repeated int32 r = 3; map<string, int32> m = 4;
    google.protobuf.Timestamp t = 5; N n = 6; fixed64 x = 7; } message N { float f = 1; }`)
  const cases: readonly (readonly [bytes: readonly number[], why: RegExp])[] = [
    [[0x08], /^field i: it ends too early$/],
    [[0x08, 0x80], /too early/],
    [[0x00], /no valid number/],
    [[0x08, ...Array.from({ length: 9 }, () => 0xff), 0x02], /exceeds 64 bits/],
    [[0x08, ...Array.from({ length: 11 }, () => 0x80)], /exceeds 64 bits/],
    [[0x12, 0x02, 0xc3, 0x28], /^field s: a string is not UTF-8$/],
    [[0x12, 0x7f, 0x41], /^field s: it ends too early$/],
    [[0x12, 0xff, 0xff, 0xff, 0xff, 0x0f], /too early/],
    [[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], /beyond measure/],
    [[0x10, 0x01], /^field s: it is of another wire type$/],
    [[0x0a, 0x00], /^field i: .*wire type/],
    [[0x1a, 0x02, 0x80, 0x80], /^field r: .*too early/],
    [[0x22, 0x02, 0x08, 0x01], /^field m: .*wire type/],
    [[0x22, 0x05, 0x0a, 0x7f], /^field m: .*too early/],
    [[0x2a, 0x0b, 0x08, ...Array.from({ length: 9 }, () => 0xff), 0x00], /^field t: a timestamp/],
    [[0x2a, 0x02, 0x10, 0x80], /too early/],
    [[0x2a, 0x06, 0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03], /^field t: a timestamp/],
    [[0x32, 0x03, 0x0d, 0x00, 0x00], /^field n: it ends too early$/],
    [[0x39, 0x00], /^field x: it ends too early$/],
    [[0x0f, 0x00], /wire type/],
    [[0x9e, 0x06], /wire type/],
    [[0x9b, 0x06], /too early/],
    [[0x9c, 0x06], /wire type/],
    [[0x9b, 0x06, 0xa4, 0x06], /a group ends/]
  ]
  for (const [bytes, why] of cases) assert.match(String(check(records, Buffer.from(bytes))), why, bytes.join(' '))
})

test('depth is bounded, in messages that contain themselves and in unknown groups', () => {
  const records = proto3('message M { T t = 1; } message T { T t = 1; int32 v = 2; }')
  const nested = (depth: number) => {
    let value = Buffer.from([0x10, 0x01])
    for (let left = depth; left > 0; left--) {
      const length = value.length < 128 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >> 7]
      value = Buffer.concat([Buffer.from([0x0a, ...length]), value])
    }
    return value
  }
  assert.equal(check(records, nested(100)), undefined)
  assert.match(String(check(records, nested(101))), /nested deeper than 100/)
  assert.match(String(check(records, Buffer.alloc(50_000, 0x3b))), /nested deeper than 100/)
})

test('values that take much more memory than bytes are refused', () => {
  const fields = Array.from({ length: 400 }, (_, index) => `int32 f${index} = ${index + 1};`)
  const records = proto3(`message M { repeated N n = 1; } message N { ${fields.join(' ')} }`)
  assert.equal(check(records, Buffer.from(Array.from({ length: 2000 }, () => [0x0a, 0]).flat())), undefined)
  assert.match(
    String(check(records, Buffer.from(Array.from({ length: 4000 }, () => [0x0a, 0]).flat()))),
    /more than 1000000 values/
  )
})

test('a required field must be there, at any depth', () => {
  const records = recordsOf(`syntax = "proto2"; message M { required int32 a = 1; optional N n = 2; }
    message N { required string s = 1; optional int32 d = 2 [default = 7]; }`)
  assert.equal(check(records, Buffer.from([])), 'required a is missing')
  assert.equal(check(records, Buffer.from([8, 0, 0x12, 0])), 'field n: required s is missing')
  assert.equal(check(records, Buffer.from([8, 0, 0x12, 2, 0x0a, 0])), undefined)
  assert.deepEqual({ ...(records.value('n') as object) }, { s: '', d: null })
})
