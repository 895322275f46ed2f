import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchema } from '../../../consumer/avro/parse-schema.ts'
import { dialectOf } from '../../../consumer/columns/dialect.ts'
import { RowGroupBuffer } from '../../../consumer/columns/row-group.ts'
import { AvroRecords } from '../../../consumer/decode/avro-record.ts'
import { AvroScanner } from '../../../consumer/decode/avro-scanner.ts'
import { randomFrom } from '../../chaos/random.ts'
import { otherType, randomRecord } from '../../fakes/avro.ts'
import { assertAlike, inJson, jsonColumns, lines } from '../../fakes/json-columns.ts'
import { bindAll } from '../../fakes/columns.ts'

test('columns of JSON say of any value what lines say of its typed columns, for random schemas', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = randomFrom(seed, 23)
    const sample = randomRecord(random)
    const other = otherType(sample.schema)
    const type = parseSchema(JSON.stringify(sample.schema))
    const records = new AvroRecords(type, dialectOf('iceberg'), new AvroScanner())
    const bindings = bindAll(records.fields)
    const typed = new RowGroupBuffer({ fields: records.fields, partitionBy: [] })
    const json = new RowGroupBuffer({ fields: jsonColumns(records.fields), partitionBy: [] })
    for (let row = 0; row < 10; row++) {
      const bytes = other.toBuffer(sample.make().written)
      assert.equal(records.check(bytes, 0, bytes.length), undefined)
      for (const rows of [typed, json]) {
        records.append(rows, bindings)
        rows.endRow()
      }
    }
    assertAlike(lines(json), lines(typed), `seed ${seed}: ${JSON.stringify(sample.schema)}`)
  }
})

test('nested fields are JSON in Snowflake, with all digits, and unions name their type', () => {
  const schema = {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'int' },
      {
        name: 'line',
        type: {
          type: 'record',
          name: 'Line',
          fields: [
            { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 2 } },
            { name: 'count', type: 'long' },
            { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
            { name: 'local', type: { type: 'long', logicalType: 'local-timestamp-millis' } },
            { name: 'clock', type: { type: 'int', logicalType: 'time-millis' } },
            { name: 'either', type: ['null', 'string', 'double'] },
            { name: 'none', type: ['null', 'string'] },
            { name: 'parent', type: ['null', 'Line'] }
          ]
        }
      },
      { name: 'tags', type: ['null', { type: 'map', values: 'double' }] }
    ]
  }
  const records = new AvroRecords(parseSchema(JSON.stringify(schema)), dialectOf('snowflake'), new AvroScanner())
  assert.deepEqual(
    records.fields.map(({ name, type, isJson }) => [name, type, isJson]),
    [
      ['id', 'long', undefined],
      ['line', 'string', true],
      ['tags', 'string', true]
    ]
  )
  const line = {
    price: Buffer.from('7fffffffffffffffffff', 'hex'),
    count: 9_007_199_254_740_993n,
    at: -1n,
    local: 1000n,
    clock: 1,
    either: { double: Number.NEGATIVE_INFINITY },
    none: null,
    parent: null
  }
  const bytes = otherType(schema).toBuffer({ id: 7, line, tags: { map: { 'a"b': 0.5 } } })
  assert.equal(records.check(bytes, 0, bytes.length), undefined)
  const text = inJson(records)
  assert.equal(
    text['line'],
    '{"price":6044629098073145873530.87,"count":9007199254740993,"at":"1969-12-31T23:59:59.999999Z","local":"1970-01-01T00:00:01.000000",' +
      '"clock":"00:00:00.001000","either":{"double":"-Infinity"},"none":null,"parent":null}'
  )
  assert.equal(text['tags'], '{"a\\"b":0.5}')
})
