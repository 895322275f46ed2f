import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../../lib/errors.ts'
import { decode, good, json, NOW_MS, PARTITION, raw } from '../../fakes/decoded.ts'
import { dataBatch, skipBatch, type FakeRecord } from '../../fakes/records.ts'

const bytes = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value)

test('a record becomes a row with its coordinates, its bytes and its lifted columns', async () => {
  const { rows, letters, buffer } = await decode([dataBatch(PARTITION, 7, [good])], { epoch: 1 })
  assert.equal(letters.length, 0)
  const [row = {}] = rows
  assert.deepEqual(
    { ...row, _kafka_key: bytes(row['_kafka_key']), _kafka_headers: undefined },
    {
      _kafka_topic: 'orders',
      _kafka_partition: 3,
      _kafka_offset: 7n,
      _kafka_timestamp: new Date(NOW_MS),
      _kafka_key: '42',
      _kafka_headers: undefined,
      _ingested_at: null,
      _ingestion_id: 'orders-3~1-7',
      _consumer_id: 'shop-0',
      value: good.value,
      kind: 'sale',
      amount: 12.5,
      service: 'shop',
      customer: 42n
    }
  )
  const headers = row['_kafka_headers'] as { key: unknown; value: unknown }[]
  assert.deepEqual(
    headers.map(({ key, value }) => [bytes(key), bytes(value)]),
    good.headers?.map(([key, value]) => [key, value])
  )
  assert.equal(buffer.lastTimestampMs, NOW_MS)
  assert.equal(buffer.deadLetterCount, 0)
})

test('records below the offset asked for, skipped batches and what was read before add nothing', async () => {
  const records = Array.from({ length: 5 }, () => good)
  const { rows } = await decode(
    [dataBatch(PARTITION, 0, records), skipBatch(PARTITION, 5, 3), dataBatch(PARTITION, 8, [good])],
    { from: 3 }
  )
  assert.deepEqual(
    rows.map(row => Number(row['_kafka_offset'])),
    [3, 4, 8]
  )
})

test('a tombstone is a row of nulls beside its coordinates, required columns or not', async () => {
  const { rows, letters } = await decode([dataBatch(PARTITION, 0, [{ key: '1', value: null }])])
  assert.equal(letters.length, 0)
  assert.equal(rows.length, 1)
  const { value, kind, amount, service, customer } = rows[0] ?? {}
  assert.deepEqual(
    { value, kind, amount, service, customer },
    { value: null, kind: null, amount: null, service: null, customer: 1n }
  )
})

test('records without headers, key and time have an empty list and nulls', async () => {
  const { rows } = await decode([dataBatch(PARTITION, 0, [{ value: 'x', timestampMs: -1 }])], { spec: raw() })
  assert.deepEqual(rows[0]?.['_kafka_headers'], [])
  assert.equal(rows[0]?.['_kafka_key'], null)
  assert.equal(rows[0]?.['_kafka_timestamp'], null)
})

const invalidUtf8 = Buffer.from('{"event":{"type":"\xff"}}', 'latin1')
const BAD: readonly (readonly [string, FakeRecord, string, string, RegExp])[] = [
  ['bytes that are not UTF-8', { ...good, value: invalidUtf8 }, 'InvalidUtf8', 'Parse', /not UTF-8 at byte 18/],
  ['a value that is not JSON', { ...good, value: '{"event":' }, 'InvalidJson', 'Parse', /not JSON at byte 9 of 9/],
  ['an empty value', { ...good, value: '' }, 'InvalidJson', 'Parse', /not JSON at byte 0/],
  [
    'a required column that is absent',
    { ...good, value: '{}' },
    'MissingColumn',
    'Lift',
    /column kind \(value \/event\/type\)/
  ],
  ['a required column that is null', { ...good, value: '{"event":{"type":null}}' }, 'MissingColumn', 'Lift', /kind/],
  [
    'a value of another type',
    { ...good, value: '{"event":{"type":"x"},"amount":"1"}' },
    'WrongType',
    'Lift',
    /amount \(value \/amount\) expects Double.*found string/
  ],
  ['a key of another type', { ...good, key: 'abc' }, 'WrongType', 'Lift', /customer \(key\) expects Long/],
  [
    'a header that is not UTF-8',
    { ...good, headers: [['x-service', Buffer.of(0xff)]] },
    'InvalidUtf8',
    'Lift',
    /service/
  ],
  [
    'a record that is too large',
    { ...good, value: JSON.stringify({ event: { type: 'x'.repeat(2000) } }) },
    'RecordTooLarge',
    'Parse',
    /maxRecordBytes is 1024/
  ]
]

for (const [what, record, reason, stage, message] of BAD) {
  test(`${what} is a dead letter with its bytes, coordinates and reason`, async () => {
    const { rows, letters, buffer } = await decode([dataBatch(PARTITION, 10, [good, record, good])], {
      spec: json('', 'maxRecordBytes: 1Ki')
    })
    assert.deepEqual(
      rows.map(row => Number(row['_kafka_offset'])),
      [10, 12]
    )
    const [letter = {}] = letters
    assert.equal(letters.length, 1)
    assert.equal(buffer.deadLetterCount, 1)
    assert.equal(letter['_kafka_topic'], 'orders')
    assert.equal(letter['_kafka_partition'], 3)
    assert.equal(letter['_kafka_offset'], 11n)
    assert.equal(letter['_kafka_last_offset'], 11n)
    assert.equal(letter['_ingestion_id'], 'orders-3-11')
    assert.deepEqual(letter['failed_at'], new Date(NOW_MS))
    assert.equal(letter['pipeline'], 'lake/shop')
    assert.equal(letter['consumer_id'], 'shop-0')
    assert.equal(letter['reason'], reason)
    assert.equal(letter['stage'], stage)
    assert.match(String(letter['error']), message)
    assert.deepEqual(Buffer.from(letter['value'] as Uint8Array), Buffer.from(record.value ?? ''))
    assert.deepEqual(bytes(letter['_kafka_key']), record.key)
    assert.equal((letter['_kafka_headers'] as unknown[]).length, record.headers?.length)
  })
}

test('a column of text takes no key, value or header name that is not UTF-8', async () => {
  const spec = raw('metadataColumns: [{source: Key, type: String}, {source: Value, type: String}]')
  const bad = Buffer.of(0x61, 0xff)
  const batch = dataBatch(PARTITION, 0, [
    { key: bad, value: 'ok' },
    { key: 'ok', value: bad },
    { key: 'ok', value: 'ok', headers: [['name', 'x']] },
    { key: null, value: 'ü' }
  ])
  // The name of the header is damaged in place: names are text in the fake records.
  batch.records[batch.records.indexOf('name')] = 0xff
  const { rows, letters } = await decode([batch], { spec })
  assert.deepEqual(
    rows.map(row => row['value']),
    ['ü']
  )
  assert.deepEqual(
    letters.map(({ reason, error }) => [reason, error]),
    [
      ['InvalidUtf8', 'the key is not UTF-8, and its column is a String'],
      ['InvalidUtf8', 'the value is not UTF-8, and its column is a String'],
      ['InvalidUtf8', 'the name of header 1 is not UTF-8']
    ]
  )
})

test('policy Topic keeps dead letters as records with memory of their own', async () => {
  const batch = dataBatch(PARTITION, 5, [{ ...good, value: '[' }])
  const { rows, buffer } = await decode([batch], { spec: json('deadLetters: {policy: Topic}') })
  batch.records.fill(0)
  assert.equal(rows.length, 0)
  assert.equal(buffer.deadLetters, undefined)
  assert.ok(buffer.bytes > 512)
  assert.deepEqual(buffer.deadLetterRecords, [
    {
      topic: 'orders',
      partition: 3,
      offset: 5,
      lastOffset: 5,
      timestampMs: NOW_MS,
      key: Buffer.from('42'),
      value: Buffer.from('['),
      headers: [
        ['x-service', Buffer.from('old')],
        ['x-service', Buffer.from('shop')],
        ['trace', null]
      ],
      ingestionId: 'orders-3-5',
      failedAtMs: NOW_MS,
      reason: 'InvalidJson',
      stage: 'Parse',
      error: 'the value is not JSON at byte 1 of 1'
    }
  ])
})

test('policy Inline keeps the record in the table, its bytes where they fit', async () => {
  const spec = json(
    'deadLetters: {policy: Inline}\nmetadataColumns: [{source: Key, type: String}, {source: Headers, omit: true}]'
  )
  const badKey = Buffer.of(0xfe)
  const { rows, buffer } = await decode(
    [dataBatch(PARTITION, 0, [good, { ...good, value: '{}' }, { ...good, key: badKey, value: invalidUtf8 }])],
    { spec }
  )
  assert.equal(buffer.deadLetterCount, 2)
  assert.deepEqual(
    rows.map(row => [row['_error'], row['value'], bytes(row['_error_value']), row['_kafka_key'], row['kind']]),
    [
      [null, good.value, null, '42', 'sale'],
      ['MissingColumn: column kind (value /event/type) is required and not there', '{}', null, '42', null],
      ['InvalidUtf8: the key is not UTF-8, and its column is a String', null, invalidUtf8.toString(), null, null]
    ]
  )
  assert.deepEqual(Buffer.from(rows[2]?.['_error_key'] as Uint8Array), badKey)
  assert.equal(rows[0]?.['_error_headers'], null)
  assert.equal((rows[1]?.['_error_headers'] as unknown[] | undefined)?.length, 3)
})

test('policy Stop stops with where and why, and nothing of the content', async () => {
  const secret = '{"password": hunter2}'
  await assert.rejects(
    decode([dataBatch(PARTITION, 9, [{ value: secret }])], { spec: json('deadLetters: {policy: Stop}') }),
    error => {
      assert.ok(error instanceof FatalError)
      assert.equal(error.reason, 'DeadLetterStop')
      assert.match(error.message, /Topic orders, partition 3, offset 9: InvalidJson/)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    }
  )
})
