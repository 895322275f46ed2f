import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CatchUp } from '../../cli/catch-up.ts'
import type { LagSample } from '../../cli/lag.ts'
import type { PartitionOffsets } from '../../operator/source/partition-offsets.ts'

/** Offsets per partition of one topic: `[next, end]`; next undefined is unknown. */
function sample(...offsets: [number | undefined, number | undefined][]): LagSample {
  return sampleAt(0, ...offsets)
}

function sampleAt(atMs: number, ...pairs: [number | undefined, number | undefined][]): LagSample {
  const offsets = pairs.map(([committed, lastStable], partition): PartitionOffsets => ({
    topic: 'trips',
    partition,
    committed,
    lastStable,
    logStart: 0,
    metadata: ''
  }))
  const isKnown = pairs.every(([next, end]) => next !== undefined && end !== undefined)
  const lag = isKnown ? pairs.reduce((sum, [next = 0, end = 0]) => sum + end - next, 0) : undefined
  const unused = { entries: [], behindSeconds: 0, deadLetters: 0, unknownPartitions: 0, reportedPartitions: 0 }
  return { offsets, lag: { atMs, lag, partitions: pairs.length, ...unused } }
}

const fetched = (...lags: number[]): Map<string, number> => new Map(lags.map((lag, i) => [`trips/${i}`, lag]))

function startedAt(...offsets: [number | undefined, number | undefined][]): CatchUp {
  const catchUp = new CatchUp(['trips'])
  catchUp.observe(sample(...offsets))
  return catchUp
}

const reported = (catchUp: CatchUp, ...offsets: [number | undefined, number | undefined][]): boolean =>
  catchUp.isReported(sample(...offsets))

test('caught up is: every partition is reported up to where it ended at the start', () => {
  const catchUp = startedAt([0, 10], [undefined, 4])
  assert.ok(!reported(catchUp, [10, 10], [undefined, 4]), 'unknown is not caught up')
  assert.ok(!reported(catchUp, [9, 10], [4, 4]))
  assert.ok(reported(catchUp, [10, 10], [4, 4]))
})

test('what is produced after the start need not be caught up with', () => {
  const catchUp = startedAt([0, 10])
  assert.ok(!reported(catchUp, [9, 500]))
  assert.ok(reported(catchUp, [10, 500]))
  assert.ok(!catchUp.isRead(sample([10, 500]), fetched(491), false))
  assert.ok(catchUp.isRead(sample([10, 500]), fetched(490), false))
})

test('an offset beyond the end belongs to another topic of that name: nothing is known', () => {
  assert.ok(!reported(startedAt([50, 10]), [50, 10]))
})

test('a report of an earlier run is not believed before the consumers of this run have come as far', () => {
  const catchUp = startedAt([10, 10], [5, 5])
  const stale = sample([10, 10], [5, 5])
  assert.ok(catchUp.isReported(stale))
  assert.ok(!catchUp.isRead(stale, new Map(), false), 'no consumer holds a partition yet')
  assert.ok(!catchUp.isRead(stale, fetched(0), false), 'one partition is with nobody')
  assert.ok(!catchUp.isRead(stale, fetched(0, 5), false), 'the table stood lower than the report said')
  assert.ok(catchUp.isRead(stale, fetched(0, 0), false))
})

test('of partitions that other members of the group read, their report counts', () => {
  const catchUp = startedAt([10, 10], [5, 5])
  const both = sample([10, 10], [5, 5])
  assert.ok(catchUp.isRead(both, new Map(), true), 'all are with others')
  assert.ok(catchUp.isRead(both, fetched(0), true))
  assert.ok(!catchUp.isRead(both, fetched(3), true), 'our own count by what we have read')
})

test('nothing is caught up before all ends are known and all named topics are there', () => {
  const catchUp = new CatchUp(['trips', 'weather'])
  assert.ok(!catchUp.isReported(sample([10, 10])), 'no sample yet')
  catchUp.observe(sample([10, 10]))
  assert.ok(!catchUp.isReported(sample([10, 10])), 'weather is not there')
  assert.ok(!reported(startedAt([10, 10], [5, undefined]), [10, 10], [5, undefined]))
})

test('progress is the share of what there was to do, with the rate of the last seconds', () => {
  const catchUp = startedAt([100, 1100])
  assert.deepEqual(catchUp.progress(sample([100, 1100])), { fraction: 0, toGo: 1000, recordsPerSecond: undefined })
  catchUp.observe(sampleAt(2000, [600, 1100]))
  assert.deepEqual(catchUp.progress(sample([600, 1100])), { fraction: 0.5, toGo: 500, recordsPerSecond: 250 })
  catchUp.observe(sampleAt(20_000, [1100, 1100]))
  catchUp.observe(sampleAt(21_000, [1200, 1200]))
  assert.deepEqual(catchUp.progress(sample([1200, 1200])), { fraction: 1, toGo: 0, recordsPerSecond: 100 })
})

test('progress is not guessed while a lag is unknown', () => {
  const catchUp = startedAt([0, 10], [undefined, 7])
  assert.equal(catchUp.progress(sample([0, 10], [undefined, 7])), undefined)
})
