import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { ProtoRecords } from '../../../consumer/decode/proto-record.ts'
import { ProtoScanner } from '../../../consumer/decode/proto-scanner.ts'
import { parseProto } from '../../../consumer/protobuf/parse-proto.ts'
import type { ProtoMessage } from '../../../consumer/protobuf/type.ts'
import { randomFrom } from '../../chaos/random.ts'
import { bindAll } from '../../fakes/columns.ts'
import { assertAlike, inJson, jsonColumns, lines } from '../../fakes/json-columns.ts'
import { encodeProto, otherMessage, randomMessage } from '../../fakes/protobuf.ts'

const recordsOf = (text: string, sink: 'iceberg' | 'snowflake') =>
  new ProtoRecords(parseProto(text, []).message([0]) as ProtoMessage, dialectOf(sink), new ProtoScanner())

test('columns of JSON say of any value what lines say of its typed columns, for random messages', () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomFrom(seed, 29)
    const sample = randomMessage(random)
    const other = otherMessage(sample.text)
    const records = recordsOf(sample.text, 'iceberg')
    const bindings = bindAll(records.fields)
    const typed = new RowGroupBuffer({ fields: records.fields, partitionBy: [] })
    const json = new RowGroupBuffer({ fields: jsonColumns(records.fields), partitionBy: [] })
    for (let row = 0; row < 10; row++) {
      const bytes = Buffer.from(encodeProto(other, sample.make().written))
      assert.equal(records.check(bytes, 0, bytes.length), undefined)
      for (const rows of [typed, json]) {
        records.append(rows, bindings)
        rows.endRow()
      }
    }
    assertAlike(lines(json), lines(typed), `seed ${seed}: ${sample.text}`)
  }
})

test('messages, lists and maps are JSON in Snowflake', () => {
  const text = `syntax = "proto3";
import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto";
message M { uint32 id = 1; Line line = 2; repeated Line lines = 3; map<int32, bytes> parts = 4; google.protobuf.Struct free = 5; Line none = 6; }
message Line { uint64 count = 1; google.protobuf.Timestamp at = 2; optional string note = 3; }`
  const records = recordsOf(text, 'snowflake')
  assert.deepEqual(
    records.fields.map(({ name, isJson }) => [name, isJson]),
    [
      ['id', undefined],
      ['line', true],
      ['lines', true],
      ['parts', true],
      ['free', true],
      ['none', true]
    ]
  )
  const bytes = Buffer.from(
    encodeProto(otherMessage(text), {
      id: 7,
      line: { count: 3, at: { seconds: 1, nanos: 2000 } },
      lines: [{}, { note: 'é' }],
      parts: { 5: Buffer.from([0, 255]) },
      free: { fields: { a: { numberValue: 0.5 } } }
    })
  )
  assert.equal(records.check(bytes, 0, bytes.length), undefined)
  assert.deepEqual(inJson(records), {
    id: 7,
    line: '{"count":3,"at":"1970-01-01T00:00:01.000002Z","note":null}',
    lines: '[{"count":0,"at":null,"note":null},{"count":0,"at":null,"note":"é"}]',
    parts: '{"5":"AP8="}',
    free: '{"a":0.5}',
    none: null
  })
})
