import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { ProtoSchemas } from '../../../consumer/decode/proto-reader.ts'
import type { ValueReader } from '../../../consumer/decode/value-reader.ts'
import { parseProto } from '../../../consumer/protobuf/parse-proto.ts'
import { RecordCursor } from '../../../consumer/record-batch.ts'
import { encodeProto, otherMessage } from '../../fakes/protobuf.ts'
import { dataBatch } from '../../fakes/records.ts'
import { FakeRegistry, framed } from '../../fakes/schema-registry.ts'

const schemasOf = (registry: FakeRegistry, sink: 'delta' | 'iceberg' = 'iceberg') =>
  new ProtoSchemas(registry, dialectOf(sink), parseProto)

function cursorAt(value: Uint8Array | null): RecordCursor {
  const cursor = new RecordCursor()
  cursor.reset(dataBatch({ topic: 'orders', topicId: 'id', partition: 0 }, 0, [{ value }]))
  cursor.next()
  return cursor
}

function outcome(reader: ValueReader, value: Uint8Array | null): string {
  const found = reader.check(cursorAt(value))
  if (found === undefined) return 'none'
  return 'reason' in found ? `${found.stage} ${found.reason}: ${found.message}` : 'pending'
}

const TEXT = `syntax = "proto3"; package acme;
  message Order { int32 id = 1; message Line { string sku = 1; uint64 n = 2; } message Note { string text = 1; } }
  message Cancel { string why = 1; }`

const protobuf = { type: 'PROTOBUF' } as const

/** The path to the type of a message, as a count and places in zigzag. */
const at = (path: readonly number[], value: Uint8Array) => Buffer.concat([Buffer.from(path), value])

test('values without a frame, of unknown schemas, other types and bad paths say so', () => {
  const registry = new FakeRegistry()
  const id = registry.register(TEXT, protobuf)
  const avro = registry.register('"int"')
  const bad = registry.register('syntax = "proto3"; message M { Nothing n = 1; }', protobuf)
  const wide = registry.register(
    `message M { ${Array.from({ length: 1001 }, (_, index) => `optional int32 f${index} = ${index + 1};`).join(' ')} }`,
    protobuf
  )
  const reader = schemasOf(registry).reader('orders')
  assert.match(outcome(reader, Buffer.from('')), /^Parse NotFramed/)
  assert.match(outcome(reader, Buffer.from('{"a": 1}')), /^Parse NotFramed/)
  assert.match(outcome(reader, framed(77, Buffer.from([0]))), /^Parse UnknownSchema: .* 77$/)
  assert.match(outcome(reader, framed(avro, Buffer.from([0]))), /^Parse UnsupportedSchema: schema 2: .*AVRO/)
  assert.match(outcome(reader, framed(bad, Buffer.from([0]))), /^Parse UnsupportedSchema: schema 3: .*Nothing/)
  assert.match(
    outcome(reader, framed(wide, Buffer.from([0]))),
    /^Parse UnsupportedSchema: schema 4: M has more than 1000/
  )
  assert.match(outcome(reader, framed(id, Buffer.from([]))), /^Parse InvalidProtobuf: schema 1: the path .* not valid$/)
  assert.match(outcome(reader, framed(id, Buffer.from([3]))), /InvalidProtobuf: .*not valid/)
  assert.match(outcome(reader, framed(id, Buffer.from([0xff, 0xff, 0x7f]))), /InvalidProtobuf: .*not valid/)
  assert.match(outcome(reader, framed(id, Buffer.from([2, 4]))), /InvalidProtobuf: .*no message at the path 2$/)
  assert.match(outcome(reader, framed(id, Buffer.from([2, 1]))), /InvalidProtobuf: .*no message at the path -1$/)
  assert.match(outcome(reader, framed(id, Buffer.from([0x80, 0]))), /InvalidProtobuf: .*no message at the path $/)
  assert.match(
    outcome(reader, framed(id, Buffer.from([0, 0x0a, 0]))),
    /InvalidProtobuf: schema 1: acme.Order: field id: /
  )
  assert.deepEqual([reader.fields, reader.value('id'), reader.schemaVersion], [[], undefined, undefined])
  assert.equal(outcome(reader, framed(id, Buffer.from([0, 8, 5]))), 'none')
  assert.deepEqual([reader.value('id'), reader.value('sku'), reader.schemaVersion], [5, undefined, 1])
  assert.equal(outcome(reader, null), 'none')
  assert.deepEqual([reader.fields, reader.value('id'), reader.schemaVersion], [[], undefined, undefined])
})

test('the path tells which message of the file a value is', () => {
  const registry = new FakeRegistry()
  const id = registry.register(TEXT, protobuf)
  const reader = schemasOf(registry).reader('orders')
  const read = (path: readonly number[], name: string, value: Record<string, unknown>) => {
    assert.equal(outcome(reader, framed(id, at(path, encodeProto(otherMessage(TEXT, name), value)))), 'none')
    return reader.fields.map(field => [field.name, reader.value(field.name)])
  }
  for (const zero of [[0], [2, 0]]) assert.deepEqual(read(zero, 'acme.Order', { id: 7 }), [['id', 7]])
  assert.deepEqual(read([2, 2], 'acme.Cancel', { why: 'late' }), [['why', 'late']])
  assert.deepEqual(read([4, 0, 0], 'acme.Order.Line', { sku: 's' }), [
    ['sku', 's'],
    ['n', 0n]
  ])
  assert.deepEqual(read([4, 0, 2], 'acme.Order.Note', { text: 't' }), [['text', 't']])
  const { fields } = reader
  read([4, 0, 2], 'acme.Order.Note', { text: 'u' })
  assert.equal(reader.fields, fields)
})

test('partitions share schemas; the version is that of the subject which has the schema', () => {
  const registry = new FakeRegistry('acme.Order')
  const id = registry.register(TEXT, protobuf)
  const schemas = schemasOf(registry, 'delta')
  const readers = ['orders', 'others'].map(topic => schemas.reader(topic))
  const fields = readers.map(reader => {
    assert.equal(outcome(reader, framed(id, Buffer.from([0, 8, 5]))), 'none')
    assert.equal(reader.schemaVersion, 1)
    return reader.fields
  })
  assert.equal(fields[0], fields[1])
  assert.deepEqual(fields[0], [{ name: 'id', type: 'long', nullable: false }])
})

test('a schema that must be fetched first is pending', () => {
  const registry = new FakeRegistry()
  const pending = { ready: Promise.resolve(), trouble: undefined }
  const id = registry.hold(pending)
  const reader = schemasOf(registry).reader('orders')
  assert.equal(reader.check(cursorAt(framed(id, Buffer.from([0])))), pending)
  registry.release(id)
  assert.match(outcome(reader, framed(id, Buffer.from([0]))), /UnknownSchema/)
})
