import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AvroError, ByteReader } from '../../../consumer/avro/byte-reader.ts'
import { parseSchema } from '../../../consumer/avro/parse-schema.ts'
import { valueReader } from '../../../consumer/avro/read-value.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { AvroRecords } from '../../../consumer/decode/avro-record.ts'
import { AvroScanner } from '../../../consumer/decode/avro-scanner.ts'
import { randomFrom } from '../../chaos/random.ts'
import { otherType, randomRecord } from '../../fakes/avro.ts'

const recordsOf = (schema: unknown) =>
  new AvroRecords(parseSchema(JSON.stringify(schema)), dialectOf('iceberg'), new AvroScanner())

const record = (...types: unknown[]) => ({
  type: 'record',
  name: 'r',
  fields: types.map((type, index) => ({ name: `f${index}`, type }))
})

/** Within other bytes, which must not be looked at. */
function check(records: AvroRecords, value: Buffer): string | undefined {
  const bytes = Buffer.concat([Buffer.from([2, 2, 2, 2]), value, Buffer.from([2, 2, 0, 0, 0, 2, 2])])
  return records.check(bytes, 4, 4 + value.length)
}

test('a value that is cut off anywhere is refused', () => {
  for (let seed = 0; seed < 60; seed++) {
    const sample = randomRecord(randomFrom(seed, 2))
    const records = recordsOf(sample.schema)
    const value = otherType(sample.schema).toBuffer(sample.make().written)
    for (let length = 0; length < value.length; length++) {
      assert.notEqual(check(records, value.subarray(0, length)), undefined, `seed ${seed}, ${length} bytes`)
    }
    assert.equal(check(records, value), undefined)
    assert.match(String(check(records, Buffer.concat([value, Buffer.from([0])]))), /1 bytes follow the value/)
  }
})

test('changed bytes are refused or are a value: nothing else happens, and nothing is appended by half', () => {
  let accepted = 0
  for (let seed = 0; seed < 200; seed++) {
    const random = randomFrom(seed, 3)
    const sample = randomRecord(random)
    const records = recordsOf(sample.schema)
    const read = valueReader(parseSchema(JSON.stringify(sample.schema)))
    const rows = new RowGroupBuffer({ fields: records.fields, partitionBy: [] })
    const bindings = records.fields.map(({ name }) => ({ source: name, target: name }))
    const value = otherType(sample.schema).toBuffer(sample.make().written)
    for (let round = 0; round < 60; round++) {
      const changed = Buffer.from(value)
      for (let left = Math.ceil(random() * 3); left > 0 && changed.length > 0; left--) {
        const byte = random() < 0.3 ? 0xff : random() < 0.3 ? 0x80 : Math.floor(random() * 256)
        changed[Math.floor(random() * changed.length)] = byte
      }
      if (check(records, changed) !== undefined) continue
      accepted++
      const reader = new ByteReader(changed)
      assert.doesNotThrow(() => read(reader), `seed ${seed}: the plain reader refuses what was accepted`)
      assert.equal(reader.left, 0)
      for (const { name } of records.fields) records.value(name)
      records.append(rows, bindings)
      rows.endRow()
    }
    assert.doesNotThrow(() => rows.chunks())
  }
  assert.ok(accepted > 500, `${accepted} were accepted`)
})

const varint = (value: bigint): Buffer => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

test('counts and lengths beyond the value cost nothing', () => {
  const huge = [2n ** 40n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 40n), -(2n ** 63n)]
  const types = ['string', 'bytes', { type: 'array', items: 'null' }, { type: 'array', items: 'int' }]
  for (const type of [...types, { type: 'map', values: 'null' }, { type: 'map', values: 'string' }]) {
    const records = recordsOf(record(type))
    for (const count of huge) {
      const value = Buffer.concat([varint(count), Buffer.alloc(64)])
      assert.notEqual(check(records, value), undefined, `${JSON.stringify(type)} of ${count}`)
    }
  }
})

test('items without bytes are few', () => {
  const empty = { type: 'record', name: 'empty', fields: [] }
  for (const items of ['null', empty, { type: 'fixed', name: 'none', size: 0 }]) {
    const records = recordsOf(
      record({ type: 'array', items }, { type: 'array', items: typeof items === 'string' ? items : items.name })
    )
    const some = Buffer.concat([varint(1000n), varint(0n)])
    assert.equal(check(records, Buffer.concat([some, some])), undefined)
    const half = Buffer.concat([varint(40_000n), varint(0n)])
    assert.match(String(check(records, Buffer.concat([half, half]))), /items without bytes/)
  }
})

test('a value that contains itself is taken only so deep', () => {
  const records = recordsOf({
    type: 'record',
    name: 'node',
    fields: [
      { name: 'id', type: 'int' },
      { name: 'next', type: ['null', 'node'] }
    ]
  })
  const nested = (depth: number) =>
    Buffer.concat([...Array.from({ length: depth }, () => Buffer.from([2, 2])), Buffer.from([2, 0])])
  assert.equal(check(records, nested(50)), undefined)
  assert.match(String(check(records, nested(100_000))), /deeper than/)
})

test('each kind of value is refused when it is not as the schema has it, with the name of its field', () => {
  const cases: readonly (readonly [unknown, readonly number[], RegExp])[] = [
    ['boolean', [2], /boolean/],
    ['int', [0xff, 0xff, 0xff, 0xff, 0x7f], /32 bits/],
    ['int', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], /32 bits/],
    ['long', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], /64 bits/],
    ['long', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00], /64 bits/],
    ['string', [1], /length/],
    ['string', [4, 0xc3, 0x28], /UTF-8/],
    ['string', [6, 0xed, 0xa0, 0x80], /UTF-8/],
    [{ type: 'map', values: 'int' }, [4, 2, 0x61, 2, 2, 0x61, 4, 0], /key twice/],
    [{ type: 'map', values: 'int' }, [2, 2, 0xff, 2, 0], /UTF-8/],
    [{ type: 'enum', name: 'e', symbols: ['a', 'b'] }, [4], /none of 0 to 1/],
    [{ type: 'enum', name: 'e', symbols: ['a', 'b'] }, [1], /none of 0 to 1/],
    [['null', 'string'], [4], /none of 0 to 1/],
    [['string', 'int'], [3], /none of 0 to 1/],
    [{ type: 'string', logicalType: 'uuid' }, [8, 0x61, 0x62, 0x63, 0x64], /UUID/],
    [{ type: 'int', logicalType: 'time-millis' }, [1], /within a day/],
    [{ type: 'int', logicalType: 'date' }, [0xff, 0xff, 0xff, 0xff, 0x0f], /years/],
    [{ type: 'long', logicalType: 'time-micros' }, [...varint(86_400_000_000n)], /within a day/],
    [{ type: 'long', logicalType: 'timestamp-micros' }, [...varint(-(2n ** 63n))], /years/],
    [{ type: 'long', logicalType: 'timestamp-millis' }, [...varint(253_402_300_800_000n)], /years/],
    [{ type: 'bytes', logicalType: 'decimal', precision: 3 }, [4, 0x03, 0xe8], /3 digits/],
    [{ type: 'bytes', logicalType: 'decimal', precision: 38 }, [36, 0x40, ...Array.from({ length: 17 }, () => 0)], /38/]
  ]
  for (const [type, bytes, expected] of cases) {
    const found = check(recordsOf(record('int', type)), Buffer.from([0, ...bytes]))
    assert.match(String(found), /^field f1: /, JSON.stringify(type))
    assert.match(String(found), expected)
  }
})

test('the least and the greatest of each kind come through', () => {
  const values: readonly (readonly [unknown, Buffer, unknown])[] = [
    ['int', varint(-(2n ** 31n)), -(2 ** 31)],
    ['int', varint(2n ** 31n - 1n), 2 ** 31 - 1],
    ...[2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n) + 1n, -(2n ** 53n), 2n ** 52n, -1n].map(
      value => ['long', varint(value), value] as const
    ),
    // A number may be written in more bytes than it needs.
    ['long', Buffer.from([0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), 1n],
    [{ type: 'long', logicalType: 'timestamp-millis' }, varint(253_402_300_799_999n), new Date(253_402_300_799_999)],
    [{ type: 'long', logicalType: 'timestamp-millis' }, varint(-1n), new Date(-1)],
    [
      { type: 'long', logicalType: 'timestamp-micros' },
      varint(-62_135_596_800_000_000n),
      new Date(-62_135_596_800_000)
    ],
    [{ type: 'int', logicalType: 'date' }, varint(2_932_896n), new Date('9999-12-31')],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 3, scale: 1 },
      Buffer.from([10, 0xff, 0xff, 0xff, 0xfc, 0x19]),
      -99.9
    ]
  ]
  for (const [type, bytes, expected] of values) {
    const records = recordsOf(record(type))
    assert.equal(check(records, bytes), undefined, JSON.stringify(type))
    assert.deepEqual(records.value('f0'), expected)
  }
})

test('the plain reader refuses what is no value too', () => {
  const read = valueReader(parseSchema('{"type": "array", "items": "null"}'))
  assert.throws(() => read(new ByteReader(Buffer.concat([varint(2n ** 60n), varint(0n)]))), AvroError)
  assert.throws(() => read(new ByteReader(Buffer.alloc(0))), AvroError)
})
