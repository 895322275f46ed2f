import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordBatch } from '../../../consumer/record-batch.ts'
import { decode, good, PARTITION } from '../../fakes/decoded.ts'
import { dataBatch } from '../../fakes/records.ts'

test('a batch that cannot be decompressed is one dead letter that covers it', async () => {
  const records = Buffer.from('compressed rubbish')
  const batch: RecordBatch = {
    ...dataBatch(PARTITION, 20, [good, good]),
    kind: 'corrupt',
    records,
    reason: 'zstd: bad frame'
  }
  const { rows, letters } = await decode([batch], { from: 21 })
  assert.equal(rows.length, 0)
  const { _kafka_offset, _kafka_last_offset, reason, stage, error, value } = letters[0] ?? {}
  assert.deepEqual([_kafka_offset, _kafka_last_offset, reason, stage], [21n, 21n, 'CorruptBatch', 'Decompress'])
  assert.match(String(error), /zstd: bad frame/)
  assert.equal(Buffer.from(value as Uint8Array).toString(), 'compressed rubbish')
})

test('a batch that is damaged half-way gives the records before, and one dead letter for the rest', async () => {
  const batch = dataBatch(PARTITION, 0, [good, good, good, good])
  const records = batch.records.subarray(0, batch.records.length / 2 + 3)
  const { rows, letters } = await decode([{ ...batch, records }])
  assert.deepEqual(
    rows.map(row => Number(row['_kafka_offset'])),
    [0, 1]
  )
  assert.deepEqual(
    letters.map(letter => [letter['_kafka_offset'], letter['_kafka_last_offset']]),
    [[2n, 3n]]
  )
})

test('whatever bytes a batch has, each of its offsets is in one row or one dead letter', async () => {
  const batch = dataBatch(PARTITION, 100, [good, good, { key: '7', value: null }])
  for (let at = 0; at < batch.records.length; at += 7) {
    for (const byte of [0, 0x7f, 0xff]) {
      const records = Buffer.from(batch.records)
      records[at] = byte
      const { rows, letters } = await decode([{ ...batch, records }])
      const offsets = [
        ...rows.map(row => Number(row['_kafka_offset'])),
        ...letters.flatMap(letter => range(Number(letter['_kafka_offset']), Number(letter['_kafka_last_offset'])))
      ]
      assert.equal(new Set(offsets).size, offsets.length, `byte ${byte} at ${at}: ${offsets.join(' ')}`)
      for (const offset of offsets) assert.ok(offset >= 100 && offset <= 102, `byte ${byte} at ${at}: ${offset}`)
    }
  }
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
