import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IngestionId } from '../../../consumer/decode/ingestion-id.ts'

const text = (id: IngestionId) => id.bytes.toString('utf8', 0, id.length)

test('offsets that follow one another, jump or go back are written alike', () => {
  const id = new IngestionId({ topic: 'orders', topicId: '', partition: 3 }, 0)
  const runs = [0, 95, 998, 9, 12_344, 2 ** 53 - 5, 0, 99_999_990]
  for (const start of runs) {
    for (let offset = start; offset < Math.min(start + 15, 2 ** 53); offset++) {
      id.set(offset)
      assert.equal(text(id), `orders-3-${offset}`)
    }
  }
})

test('the epoch stands behind the partition, from the second incarnation on', () => {
  const id = new IngestionId({ topic: 'a.b', topicId: '', partition: 12 }, 2)
  id.set(7)
  assert.equal(text(id), 'a.b-12~2-7')
})
