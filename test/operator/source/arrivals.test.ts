import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeReport } from '../../../crds/report.ts'
import { learn, questionsOf, type Arrivals } from '../../../operator/source/arrivals.ts'
import { partitionLag } from '../../../operator/source/lag.ts'
import type { PartitionOffsets } from '../../../operator/source/partition-offsets.ts'
import { NOW } from '../given.ts'

const MINUTE = 60_000

const at = (change: Partial<PartitionOffsets> = {}): PartitionOffsets => ({
  topic: 'orders',
  partition: 0,
  committed: 5,
  metadata: '',
  logStart: 0,
  lastStable: 10,
  ...change
})

const report = (recordTimestampMs: number) =>
  encodeReport({ committedAtMs: NOW, version: '1', recordTimestampMs, deadLetters: 0 })

/** The first offset at or after a time, of a log whose record of each offset came then. */
const offsetAt = (times: readonly number[], atMs: number) => times.findIndex(time => time >= atMs)

/** Asks until nothing more is asked; gives how often, and how far behind it is then. */
function found(agesMs: readonly number[], partition: PartitionOffsets, isIdle = true) {
  const arrivals: Arrivals = new Map()
  const times = agesMs.map(age => NOW - age)
  let looks = 0
  for (;;) {
    const questions = questionsOf([partition], arrivals, isIdle, NOW)
    if (questions.length === 0) break
    assert.ok(++looks < 60, 'it comes to an end')
    const answers = new Map(questions.map(({ atMs }) => ['orders/0', offsetAt(times, atMs)]))
    learn(questions, answers, arrivals)
  }
  return { looks, behindMs: (partitionLag(partition, NOW, arrivals).behindSeconds ?? NaN) * 1000 }
}

for (const ageMs of [
  0,
  1000,
  MINUTE - 1,
  MINUTE,
  2 * MINUTE,
  3_600_000,
  86_400_000,
  30 * 86_400_000,
  10 * 365 * 86_400_000
]) {
  test(`a record that came ${ageMs / 1000} s ago is found to be at least and about as old, by few questions`, () => {
    const { looks, behindMs } = found([2 * ageMs, ageMs, 0], at({ committed: 1, lastStable: 3 }))
    assert.ok(behindMs >= ageMs, `${behindMs}`)
    assert.ok(behindMs <= Math.max(MINUTE, ageMs * 1.2501) + 1, `${behindMs}`)
    assert.ok(looks <= 16, `${looks}`)
  })
}

test('who keeps up, or whose lag is not known, asks nothing', () => {
  for (const change of [{ committed: 10 }, { committed: undefined }, { lastStable: undefined }, { committed: 11 }]) {
    assert.deepEqual(questionsOf([at(change)], new Map(), true, NOW), [])
  }
})

test('consumers at work tell it by themselves; without any, what they told last is looked at again', () => {
  const partition = at({ metadata: report(NOW - 3_600_000) })
  assert.deepEqual(questionsOf([partition], new Map(), false, NOW), [])
  const [question] = questionsOf([partition], new Map(), true, NOW)
  assert.equal(question?.atMs, NOW - MINUTE)
})

test('a report that is young enough is enough', () => {
  assert.deepEqual(questionsOf([at({ metadata: report(NOW - 30_000) })], new Map(), true, NOW), [])
})

test('a log whose records have no times is asked until before all time, and stays unknown', () => {
  const { looks, behindMs } = found([NOW + 1, NOW + 1, NOW + 1], at({ committed: 1, lastStable: 3 }))
  assert.ok(Number.isNaN(behindMs))
  assert.ok(looks < 20)
})

test('no answer is no knowledge', () => {
  const arrivals: Arrivals = new Map()
  learn(questionsOf([at()], arrivals, true, NOW), new Map(), arrivals)
  assert.equal(arrivals.size, 0)
})

test('offsets that somebody has set back make what was known untrue, not zero', () => {
  const arrivals: Arrivals = new Map()
  partitionLag(at({ committed: 10 }), NOW - 5000, arrivals)
  assert.equal(partitionLag(at({ committed: 10, lastStable: 12 }), NOW, arrivals).behindSeconds, 5)
  assert.equal(partitionLag(at({ committed: 2 }), NOW, arrivals).behindSeconds, undefined)
})

test('what was learned of one record says of later ones only that they are no older', () => {
  const arrivals: Arrivals = new Map([
    ['orders/0', { nextOffset: 5, notBeforeMs: NOW - 10 * MINUTE, notAfterMs: NOW - 9 * MINUTE }]
  ])
  assert.deepEqual(questionsOf([at()], arrivals, true, NOW), [])
  const [question] = questionsOf([at({ committed: 7 })], arrivals, true, NOW)
  assert.equal(question?.atMs, NOW - MINUTE)
  assert.equal(partitionLag(at({ committed: 7 }), NOW, arrivals).behindSeconds, 600)
})
