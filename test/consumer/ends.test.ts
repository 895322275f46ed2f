import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutAt } from '../../consumer/ends.ts'
import { RecordCursor, type RecordBatch } from '../../consumer/record-batch.ts'
import { dataBatch, skipBatch } from '../fakes/records.ts'

const PARTITION = { topic: 'orders', topicId: 'id', partition: 0 }
const TEN = dataBatch(
  PARTITION,
  100,
  Array.from({ length: 10 }, (_, index) => ({ value: `${index}` }))
)

function offsetsOf(batch: RecordBatch): number[] {
  const cursor = new RecordCursor()
  cursor.reset(batch)
  const offsets: number[] = []
  while (batch.kind === 'data' && cursor.next()) offsets.push(cursor.offset)
  return offsets
}

test('a batch is cut at every offset: records below it stay, and the position is the end exactly', () => {
  for (let end = 90; end <= 115; end++) {
    const cut = cutAt(TEN, end)
    assert.deepEqual(
      offsetsOf(cut),
      offsetsOf(TEN).filter(offset => offset < end)
    )
    assert.equal(cut.nextOffset, Math.min(end, 110))
  }
})

test('a batch below the end is the same batch', () => {
  assert.equal(cutAt(TEN, 110), TEN)
  assert.equal(cutAt(TEN, 200), TEN)
})

test('offsets that compaction took count: the end may lie in a gap', () => {
  const gapped = { ...TEN, nextOffset: 120 }
  assert.deepEqual(offsetsOf(cutAt(gapped, 115)), offsetsOf(TEN))
  assert.equal(cutAt(gapped, 115).nextOffset, 115)
})

test('control records beyond the end move the position to it and no further', () => {
  assert.equal(cutAt(skipBatch(PARTITION, 100, 10), 105).nextOffset, 105)
  assert.equal(cutAt(skipBatch(PARTITION, 100, 10), 105).kind, 'skip')
})

test('a corrupt batch that begins below the end is kept whole, one beyond it is not', () => {
  const corrupt: RecordBatch = { ...TEN, kind: 'corrupt', reason: 'checksum', count: 0 }
  assert.equal(cutAt(corrupt, 101).kind, 'corrupt')
  assert.equal(cutAt(corrupt, 101).records, TEN.records)
  assert.equal(cutAt(corrupt, 101).nextOffset, 101)
  assert.equal(cutAt(corrupt, 100).kind, 'skip')
})

test('a record that cannot be read is left to the decoder with those before it', () => {
  const broken: RecordBatch = { ...TEN, records: TEN.records.subarray(0, TEN.records.length - 20) }
  const cut = cutAt(broken, 109)
  assert.equal(cut.kind, 'data')
  assert.ok(cut.count < 10)
  assert.throws(() => offsetsOf(cut), RangeError)
})
