import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SchemaError } from '../../../consumer/schema-limits.ts'
import { planOf } from '../../../consumer/decode/proto-plan.ts'
import { parseProto } from '../../../consumer/protobuf/parse-proto.ts'
import type { ProtoMessage } from '../../../consumer/protobuf/type.ts'

const nameAt = (text: string, ...path: number[]) => parseProto(text, []).message(path)?.name

test('messages are counted in the order in which they are declared, others are not', () => {
  const text = `syntax = "proto3"; package a.b;
    enum First { ZERO = 0; } message Zeta { enum E { Z = 0; } message Y {} message X { message W {} } } service S {} message Alpha {}`
  assert.deepEqual(
    [[0], [1], [0, 0], [0, 1], [0, 1, 0], [2], [0, 2], [-1], []].map(path => nameAt(text, ...path)),
    ['a.b.Zeta', 'a.b.Alpha', 'a.b.Zeta.Y', 'a.b.Zeta.X', 'a.b.Zeta.X.W', undefined, undefined, undefined, undefined]
  )
  assert.equal(nameAt('syntax = "proto3"; message M {}', 0), 'M')
})

test('labels say what absence means, by syntax and by edition', () => {
  const labels = (text: string) =>
    parseProto(text, [])
      .message([0])
      ?.fields.map(({ name, label }) => `${name} ${label}`)
  assert.deepEqual(
    labels(
      'message M { required int32 a = 1; optional int32 b = 2; repeated int32 c = 3; map<int32, M> d = 4; oneof o { int32 e = 5; } }'
    ),
    ['a required', 'b explicit', 'c repeated', 'd map', 'e explicit']
  )
  assert.deepEqual(
    labels('syntax = "proto3"; message M { int32 a = 1; optional int32 b = 2; M c = 3; oneof o { int32 d = 4; } }'),
    ['a implicit', 'b explicit', 'c explicit', 'd explicit']
  )
  assert.deepEqual(
    labels(
      'edition = "2023"; message M { int32 a = 1; int32 b = 2 [features.field_presence = IMPLICIT]; int32 c = 3 [features.field_presence = LEGACY_REQUIRED]; }'
    ),
    ['a explicit', 'b implicit', 'c required']
  )
})

test('files import each other by name, also those that everyone has, and share packages', () => {
  const imports = [
    {
      name: 'google/protobuf/timestamp.proto',
      text: 'syntax = "proto3"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }'
    },
    {
      name: 'b.proto',
      text: 'syntax = "proto3"; package acme; import "google/protobuf/wrappers.proto"; message B { google.protobuf.Int32Value v = 1; }'
    },
    {
      name: 'other/b.proto',
      text: 'syntax = "proto3"; package acme; import "google/protobuf/wrappers.proto"; message B { google.protobuf.Int32Value v = 1; }'
    }
  ]
  const text = `syntax = "proto3"; package acme; import public "b.proto"; import "google/protobuf/timestamp.proto"; import "google/protobuf/type.proto";
    import "google/protobuf/descriptor.proto"; import "confluent/meta.proto"; import "confluent/type/decimal.proto";
    extend google.protobuf.FieldOptions { string note = 50000; }
    message A { option (confluent.message_meta).doc = "An A."; B b = 1 [(note) = "x"]; google.protobuf.Timestamp at = 2; confluent.type.Decimal price = 3 [(confluent.field_meta) = {params: [{key: "scale", value: "2"}]}]; google.protobuf.Type type = 4; }`
  const message = parseProto(text, imports).message([0]) as ProtoMessage
  assert.deepEqual(
    message.fields.map(({ type }) => (typeof type === 'object' && type.kind === 'message' ? type.name : type)),
    ['acme.B', 'google.protobuf.Timestamp', 'confluent.type.Decimal', 'google.protobuf.Type']
  )
})

test('comments say what fields hold', () => {
  const text =
    'syntax = "proto3"; message M { // No.\n  // Of the order.\n  int32 id = 1;\n  /** The name. */\n  string name = 2;\n  int32 n = 3;\n}'
  assert.deepEqual(
    parseProto(text, [])
      .message([0])
      ?.fields.map(({ doc }) => doc),
    ['Of the order.', 'The name.', undefined]
  )
})

test('what is no schema, or none that tables can hold, is an error of the schema', () => {
  const bad: readonly (readonly [text: string, why: RegExp])[] = [
    ['', /no messages|complete/],
    ['syntax = "proto3"; message M {', /complete/],
    ['syntax = "proto3"; message M { Nothing a = 1; }', /Nothing/],
    ['syntax = "proto3"; message M { int32 __proto__ = 1; }', /__proto__ is not read/],
    ['syntax = "proto9"; message M {}', /complete/],
    ['syntax = "proto3"; package p; enum E { A = 0; }', /no messages/],
    ['syntax = "proto3"; message M { int32 a = 1; int32 b = 1; }', /duplicate/],
    [`syntax = "proto3"; ${'message M { '.repeat(5000)}`, /./],
    [`message M { ${'/* */'.repeat(300_000)} }`, /longer than/],
    ['syntax = "proto2"; message M { optional group G = 1 { optional int32 a = 1; } }', /group/],
    [
      `syntax = "proto3"; message M { M0 m = 1; } ${Array.from({ length: 600 }, (_, index) => `message M${index} { M${index + 1} m = 1; int32 i = 2; }`).join(' ')} message M600 { int32 a = 1; }`,
      /more than 500 types/
    ]
  ]
  for (const [text, why] of bad) {
    const read = () => {
      const message = parseProto(text, []).message([0])
      if (message === undefined) throw new SchemaError('no messages')
      planOf(message)
    }
    assert.throws(read, (error: unknown) => error instanceof SchemaError && why.test(error.message), text.slice(0, 80))
  }
})

test('a chain of messages becomes columns as deep as tables go, and JSON below', () => {
  const chain = Array.from({ length: 200 }, (_, index) => `message M${index} { M${index + 1} m = 1; }`)
  const message = parseProto(`syntax = "proto3"; ${chain.join(' ')} message M200 { int32 a = 1; }`, []).message([0])
  assert.doesNotThrow(() => planOf(message as ProtoMessage))
})
