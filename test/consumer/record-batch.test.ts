import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordCursor } from '../../consumer/record-batch.ts'
import { dataBatch } from '../fakes/records.ts'

const PARTITION = { topic: 'orders', topicId: 'id', partition: 0 }

test('the cursor gives every record’s offset, time, key, value and headers', () => {
  const cursor = new RecordCursor()
  cursor.reset(
    dataBatch(PARTITION, 2 ** 40, [
      { key: 'k', value: 'first', timestampMs: 1_700_000_000_000 },
      {
        key: null,
        value: null,
        timestampMs: 1_600_000_000_000,
        headers: [
          ['a', 'x'],
          ['a', null]
        ]
      },
      { key: '', value: 'v'.repeat(70_000), timestampMs: 1_700_000_000_001 }
    ])
  )
  const seen: unknown[] = []
  while (cursor.next()) {
    const { bytes, keyStart, keyLength, valueStart, valueLength } = cursor
    const headers: unknown[] = []
    cursor.forEachHeader((start, length, from, size) => {
      headers.push([
        bytes.toString('utf8', start, start + length),
        size < 0 ? null : bytes.toString('utf8', from, from + size)
      ])
    })
    seen.push([
      cursor.offset - 2 ** 40,
      cursor.timestampMs,
      keyLength < 0 ? null : bytes.toString('utf8', keyStart, keyStart + keyLength),
      valueLength < 0 ? null : bytes.subarray(valueStart, valueStart + valueLength).length,
      headers
    ])
  }
  assert.deepEqual(seen, [
    [0, 1_700_000_000_000, 'k', 5, []],
    [
      1,
      1_600_000_000_000,
      null,
      null,
      [
        ['a', 'x'],
        ['a', null]
      ]
    ],
    [2, 1_700_000_000_001, '', 70_000, []]
  ])
})

test('bytes that are not what the batch promises are a RangeError, never a hang', () => {
  const batch = dataBatch(PARTITION, 0, [{ value: 'abcdef', headers: [['h', 'x']] }, { value: 'second' }])
  for (let at = 0; at < batch.records.length; at++) {
    for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
      const records = Buffer.from(batch.records)
      records[at] = byte
      const cursor = new RecordCursor()
      cursor.reset({ ...batch, records })
      try {
        while (cursor.next()) cursor.forEachHeader(() => {})
      } catch (error) {
        assert.ok(error instanceof RangeError, `byte ${byte} at ${at}: ${String(error)}`)
      }
    }
  }
})
