import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueAtMs, strictest, type Gathered } from '../../consumer/due.ts'

const LIMITS = { maxRecords: 100, maxBytes: 1000, triggerIntervalMs: 5000 }
const NOW = 100_000
const gathered = (changes: Partial<Gathered>): Gathered => ({
  records: 1,
  bytes: 1,
  sinceMs: NOW,
  lastCommitMs: undefined,
  ...changes
})

const cases: readonly (readonly [string, Partial<Gathered>, number])[] = [
  ['nothing held waits for ever', { records: 0, sinceMs: undefined }, Infinity],
  ['a first record waits for the interval', {}, NOW + 5000],
  ['the record limit is due at once, whatever the pace', { records: 100, lastCommitMs: NOW - 1 }, NOW],
  ['the byte limit is due at once after a pause', { bytes: 1000, lastCommitMs: NOW - 5000 }, NOW - 4000],
  ['the byte limit keeps the pace of one commit a second', { bytes: 1000, lastCommitMs: NOW - 300 }, NOW + 700],
  ['the interval counts from the oldest record', { sinceMs: NOW - 4000, lastCommitMs: NOW - 4500 }, NOW + 1000]
]

for (const [name, changes, expected] of cases) {
  test(name, () => assert.equal(dueAtMs(gathered(changes), LIMITS, NOW), expected))
}

test('an interval below the pace is kept', () => {
  assert.equal(dueAtMs(gathered({ lastCommitMs: NOW }), { ...LIMITS, triggerIntervalMs: 200 }, NOW), NOW + 200)
})

test('entries that share a table keep the strictest of each limit', () => {
  const shared = strictest([LIMITS, { maxRecords: undefined, maxBytes: 500, triggerIntervalMs: 9000 }])
  assert.deepEqual(shared, { maxRecords: 100, maxBytes: 500, triggerIntervalMs: 5000 })
})
