import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsWithin, usefulCounts } from '../../../operator/scaling/useful-counts.ts'

test('a count is useful when the busiest consumer has fewer partitions than with one consumer less', () => {
  assert.deepEqual(usefulCounts(12), [1, 2, 3, 4, 6, 12])
  assert.deepEqual(usefulCounts(1), [1])
  assert.deepEqual(usefulCounts(0), [])
  for (let partitions = 1; partitions <= 200; partitions++) {
    const isUseful = (count: number) =>
      count === 1 || Math.ceil(partitions / count) !== Math.ceil(partitions / (count - 1))
    const all = Array.from({ length: partitions }, (_, index) => index + 1).filter(isUseful)
    assert.deepEqual(usefulCounts(partitions), all, `${partitions} partitions`)
  }
})

test('many partitions have few useful counts', () => {
  assert.ok(usefulCounts(1_000_000).length <= 2000)
})

test('bounds leave those between them, or the one that is as fast as the upper bound', () => {
  assert.deepEqual(countsWithin(12, 2, 6), [2, 3, 4, 6])
  assert.deepEqual(countsWithin(12, 5, 12), [6, 12])
  assert.deepEqual(countsWithin(12, 5, 5), [4])
  assert.deepEqual(countsWithin(12, 1, 1000), [1, 2, 3, 4, 6, 12])
  assert.deepEqual(countsWithin(3, 8, 16), [3])
  assert.deepEqual(countsWithin(0, 1, 16), [])
})
