import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { DEAD_LETTER_SCHEMA } from '../../../../../consumer/columns/bronze.ts'
import { RowGroupBuffer } from '../../../../../consumer/columns/row-group.ts'
import type { NdjsonChunk } from '../../../../../consumer/ndjson/encode.ts'
import { isEmbeddable } from '../../../../../consumer/sinks/snowflake/streaming/embeddable.ts'
import { letterRequests, lettersOf } from '../../../../../consumer/sinks/snowflake/streaming/letters.ts'
import { MAX_BODY_BYTES, rowsRequests } from '../../../../../consumer/sinks/snowflake/streaming/requests.ts'
import { bodyOf, stagePart } from '../../../../../consumer/sinks/snowflake/streaming/staged.ts'
import { isFatal } from '../../../../fakes/failures.ts'

const chunk = (text: string, lastLong: number, rows = 1): NdjsonChunk => ({ bytes: Buffer.from(text), rows, lastLong })
const WRITE_ID = 'ab'.repeat(16)

test('rows are cut into requests whose tokens follow their last rows, the last one the part', () => {
  const chunks = [chunk('a\n', 3), chunk('b\n', 7, 2), chunk('c\n', 8), chunk('d\n', 20)]
  const requests = rowsRequests(chunks, 25, 4)
  assert.deepEqual(
    requests.map(({ body, rows, next }) => [zstdDecompressSync(body).toString(), rows, next]),
    [
      ['a\nb\n', 3, 8],
      ['c\nd\n', 2, 25]
    ]
  )
  assert.deepEqual(rowsRequests([], 25), [])
  assert.throws(() => rowsRequests([chunk('a\n', 5), chunk('b\n', 4)], 9))
  assert.throws(() => rowsRequests([chunk('a\n', 5)], 5))
})

test('what cannot be compressed still fits a request, unless one row alone is too large', () => {
  const incompressible = Array.from({ length: 80 }, (_, index) => {
    const bytes = Buffer.from(`"${randomBytes(48 * 1024).toString('base64')}"\n`)
    return { bytes, rows: 1, lastLong: index }
  })
  const requests = rowsRequests(incompressible, 80)
  assert.ok(requests.length > 1)
  for (const { body } of requests) assert.ok(body.length <= MAX_BODY_BYTES)
  assert.equal(
    requests.reduce((sum, { rows }) => sum + rows, 0),
    80
  )
  const large = { bytes: randomBytes(MAX_BODY_BYTES), rows: 1, lastLong: 0 }
  assert.throws(() => rowsRequests([large], 1), isFatal('RowTooLarge'))
  assert.throws(() => rowsRequests([chunk('x'.repeat(16_000_001), 0)], 1), isFatal('RowTooLarge'))
})

const EMBEDDABLE: readonly (readonly [text: string, isTaken: boolean])[] = [
  ['{"a":1,"b":[{"a":2},{"a":3}],"c:":"x:\\":y"}', true],
  ['null', true],
  ['"a:b"', true],
  ['{"__proto__":1,"a":{}}', true],
  ['[]', true],
  ['{"a":1,"a":2}', false],
  ['{"x":{"a":1,"b":2,"a":3}}', false],
  ['{"a":1,"\\u0061":2}', false],
  ['{"a":"\\ud800"}', false],
  ['{"a":"\\ud83d\\ude00"}', true],
  ['{"a":"\\ud83d\\ude00\\udE00"}', false],
  ['{"a":"\\\\ud800"}', true],
  ['{a:1}', false],
  ['', false]
]

for (const [text, isTaken] of EMBEDDABLE) {
  test(`${text || 'nothing'} ${isTaken ? 'goes' : 'does not go'} into a VARIANT as JSON`, () => {
    assert.equal(isEmbeddable(text), isTaken)
  })
}

test('a row whose JSON has one key twice is in its table, with the JSON as text', () => {
  const [jsonField, offset] = [
    { name: 'value', type: 'string', nullable: true, isJson: true },
    { name: 'at', type: 'long', nullable: true, isStagedOnly: true }
  ] as const
  const group = new RowGroupBuffer({ fields: [jsonField, offset], partitionBy: [] })
  const values = ['{"a":1}', '{"a":1,"a":2}', '{"b":\n[1.0,1e400]}', null, '{"c":{"d":1,"d":1}}']
  for (const [index, value] of values.entries())
    group.appendRow({ value: value === null ? null : Buffer.from(value), at: BigInt(index) })
  const partition = { topic: 'orders', topicId: '', partition: 0 }
  const part = { partition, epoch: 0, expectedOffset: 0, nextOffset: 9, rows: [group], deadLetters: undefined }
  for (const requestBytes of [1, 10_000]) {
    const { rows, columns } = stagePart(part, 'at', requestBytes)
    assert.deepEqual(columns, ['VALUE'])
    assert.deepEqual(
      rows.map(({ next }) => next),
      requestBytes === 1 ? [1, 2, 3, 4, 9] : [9]
    )
    assert.deepEqual(
      rows.map(request => zstdDecompressSync(bodyOf(request)).toString()).join(''),
      [
        '{"VALUE":{"a":1}}',
        '{"VALUE":"{\\"a\\":1,\\"a\\":2}"}',
        '{"VALUE":{"b": [1.0,1e400]}}',
        '{"VALUE":null}',
        '{"VALUE":"{\\"c\\":{\\"d\\":1,\\"d\\":1}}"}',
        ''
      ].join('\n')
    )
    // As another process gets it.
    const [again] = (JSON.parse(JSON.stringify(rows)) as typeof rows).map(bodyOf)
    assert.deepEqual(again, bodyOf(rows[0] as (typeof rows)[0]))
  }
})

test('dead letters become rows of their table, with the write id and nothing of them lost', () => {
  const group = new RowGroupBuffer(DEAD_LETTER_SCHEMA)
  const values = ['{"a":\n1}', '{"a":1,"a":2}', 'plain "text"', Buffer.from([0xff, 0]), null]
  for (const [index, value] of values.entries()) {
    group.appendRow({
      _kafka_topic: 'orders',
      _kafka_partition: 2,
      _kafka_offset: BigInt(index),
      _kafka_last_offset: BigInt(index),
      _kafka_timestamp: 1_700_000_000_123_000n,
      _kafka_key: index === 0 ? Buffer.from('{"k":1}') : null,
      _kafka_headers: [{ key: 'h', value: Buffer.from([0xff]) }],
      value: value === null ? null : Buffer.from(value as string),
      _ingestion_id: `orders-2-${index}`,
      failed_at: 1_700_000_001_000_000n,
      reason: 'InvalidJson',
      stage: 'Parse',
      error: 'no "value"',
      pipeline: 'lake/one',
      consumer_id: 'one-0'
    })
  }
  const letters = lettersOf(group)
  const [request, ...more] = letterRequests(letters, WRITE_ID)
  assert.deepEqual([request?.next, request?.rows, more.length], [5, 5, 0])
  const text = zstdDecompressSync(request?.body ?? '').toString()
  const rows = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    rows.map(row => row['RAW_PAYLOAD']),
    [{ a: 1 }, '{"a":1,"a":2}', 'plain "text"', { base64: '/wA=' }, null]
  )
  assert.deepEqual(rows[0], {
    FAILED_AT: '2023-11-14T22:13:21.000000',
    ERROR_MESSAGE: 'InvalidJson: no "value"',
    RAW_PAYLOAD: { a: 1 },
    KAFKA_METADATA: {
      write_id: WRITE_ID,
      topic: 'orders',
      partition: 2,
      offset: 0,
      last_offset: 0,
      timestamp: '2023-11-14T22:13:20.123000Z',
      key: '{"k":1}',
      headers: [{ key: 'h', value: { base64: '/w==' } }],
      ingestion_id: 'orders-2-0',
      reason: 'InvalidJson',
      stage: 'Parse',
      pipeline: 'lake/one',
      consumer_id: 'one-0'
    }
  })
  assert.throws(() => letterRequests(letters, '","x":"'))
  assert.deepEqual(letterRequests([], WRITE_ID), [])
})

test('a dead letter that is larger than a request keeps its beginning, and says how much there was', () => {
  const group = new RowGroupBuffer(DEAD_LETTER_SCHEMA)
  const nothing = Object.fromEntries(DEAD_LETTER_SCHEMA.fields.map(({ name }) => [name, null]))
  // The most that a row may have, and as much as a broker can be made to take: nothing of either can be compressed.
  for (const [index, bytes] of [3 << 20, 16 << 20].entries()) {
    const given = {
      _kafka_topic: 'orders',
      _kafka_partition: 0,
      _kafka_offset: BigInt(index),
      reason: 'RecordTooLarge'
    }
    const row = { ...nothing, ...given, _kafka_key: randomBytes(bytes / 4), value: randomBytes(bytes) }
    group.appendRow(row)
  }
  const requests = letterRequests(lettersOf(group), WRITE_ID)
  assert.deepEqual(
    requests.map(({ next }) => next),
    [1, 2]
  )
  const rows = requests.map(({ body }) => {
    assert.ok(body.length <= MAX_BODY_BYTES)
    return JSON.parse(zstdDecompressSync(body).toString()) as {
      RAW_PAYLOAD: { base64: string; bytes?: number }
      KAFKA_METADATA: { key: { base64: string; bytes?: number } }
    }
  })
  assert.deepEqual(
    rows.map(({ RAW_PAYLOAD: { base64, bytes } }) => [Buffer.from(base64, 'base64').length, bytes]),
    [
      [3 << 20, undefined],
      [3 << 20, 16 << 20]
    ]
  )
  assert.deepEqual(
    rows.map(({ KAFKA_METADATA: { key } }) => key.bytes),
    [3 << 18, 4 << 20]
  )
})
