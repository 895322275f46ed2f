import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from '../../lib/backoff.ts'

test('waits double from the first to the ceiling', () => {
  const waits = [1, 2, 3, 4, 20, 1000].map(attempt => backoffMs(attempt, 1, { firstMs: 100, maxMs: 1000 }))
  assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000])
})

test('chance takes off half at most', () => {
  assert.equal(backoffMs(3, 0, { firstMs: 100, maxMs: 1000 }), 200)
})
