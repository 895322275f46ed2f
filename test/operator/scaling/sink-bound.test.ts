import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideByLag, type LagDecision, type LagView } from '../../../operator/scaling/by-lag.ts'
import { aView, MINUTE, NOW, someRates } from './given.ts'

/** All partitions have a backlog, and the consumers write so much of it. */
const behind = (drain: number, atMs: number, lag = 6_000_000) =>
  someRates(12, { arrival: drain, drain, lag }, { atMs, spanMs: MINUTE, steadyMs: 10 * MINUTE })

const next = (view: Partial<LagView>, nowMs: number): LagDecision => decideByLag(aView(view), nowMs)

/** One consumer at a sink that takes no more than 1,000 records per second, as often as it is looked. */
function untilHeld(): { readonly decision: LagDecision; readonly counts: readonly number[] } {
  const counts: number[] = []
  let [current, atMs] = [1, NOW]
  let memory = aView().memory
  for (let turn = 0; turn < 20; turn++) {
    // The backlog grows.
    const decision = next({ current, memory, rates: behind(1000, atMs, 1_000_000 * (turn + 1)) }, atMs)
    ;({ memory } = decision)
    if (decision.reason === 'SinkBound') return { decision, counts }
    if (decision.replicas !== current) counts.push(decision.replicas ?? NaN)
    current = decision.replicas ?? current
    atMs += 2 * MINUTE
  }
  return assert.fail(`never held: ${counts.join()}`)
}

test('after two increases that brought nothing no third one is made', () => {
  const { decision, counts } = untilHeld()
  assert.equal(counts.length, 2, counts.join())
  assert.equal(decision.replicas, counts[1])
  assert.equal(decision.memory.capacity?.perSecond, 1000, 'a slow sink says nothing about consumers')
})

test('after an hour one more is tried, and then not for another hour', () => {
  const { decision } = untilHeld()
  const current = decision.replicas ?? 0
  const changedMs = decision.memory.lastChangeMs ?? 0
  const rates = (ms: number) => behind(1000, ms, 90_000_000)
  const early = changedMs + 59 * MINUTE
  assert.equal(next({ current, memory: decision.memory, rates: rates(early) }, early).reason, 'SinkBound')
  const later = changedMs + 60 * MINUTE
  const again = next({ current, memory: decision.memory, rates: rates(later) }, later)
  assert.ok((again.replicas ?? 0) > current, `${again.replicas} ${again.reason}`)
  const soon = later + 2 * MINUTE
  const after = next({ current: again.replicas ?? 0, memory: again.memory, rates: rates(soon) }, soon)
  assert.equal(after.memory.ineffectiveTries, 2)
  assert.equal(after.reason, 'SinkBound')
})

test('consumers that write what they can again are given help at once', () => {
  const { decision } = untilHeld()
  const current = decision.replicas ?? 0
  const nowMs = (decision.memory.lastChangeMs ?? 0) + 5 * MINUTE
  const { replicas, reason } = next(
    { current, memory: decision.memory, rates: behind(current * 950, nowMs, 90_000_000) },
    nowMs
  )
  assert.equal(`${replicas} ${reason}`, '12 CatchingUp')
})

test('once caught up, what was measured meanwhile is forgotten', () => {
  const { decision } = untilHeld()
  const current = decision.replicas ?? 0
  const nowMs = (decision.memory.lastChangeMs ?? 0) + 5 * MINUTE
  const { memory } = next(
    { current, memory: decision.memory, rates: someRates(12, { arrival: 900, drain: 900 }) },
    nowMs
  )
  assert.deepEqual([memory.ineffectiveTries, memory.capacity], [0, undefined])
})

test('an increase that brought more counts as one that helped', () => {
  const attempt = { replicas: 2, perSecond: 2000 }
  const memory = { ...aView().memory, attempt, ineffectiveTries: 1 }
  const helped = next({ current: 4, memory, rates: behind(3600, NOW) }, NOW)
  assert.equal(helped.memory.ineffectiveTries, 0)
  const not = next({ current: 4, memory, rates: behind(2100, NOW) }, NOW)
  assert.equal(not.memory.ineffectiveTries, 2)
})

test('less than was thought is learned from a backlog on most partitions, by and by, and never from idleness', () => {
  const memory = { ...aView().memory, capacity: { perSecond: 1000, atMs: NOW - 2 * MINUTE } }
  const perSecond = (view: Partial<LagView>) => next({ memory, ...view }, NOW).memory.capacity?.perSecond
  assert.equal(perSecond({ rates: behind(1200, NOW) }), 800)
  assert.equal(perSecond({ rates: someRates(12, { arrival: 10, drain: 10 }) }), 1000)
  const one = someRates(12, { arrival: 10, drain: 10 })
  const stuck = one.partitions.map((part, index) => (index === 0 ? { ...part, lag: 1e6, leastLag: 1e6 } : part))
  assert.equal(perSecond({ rates: { ...one, partitions: stuck } }), 1000)
  assert.equal(
    perSecond({ rates: someRates(12, { arrival: 2400, drain: 2400 }) }),
    1200,
    'what is written was possible'
  )
})

test('what was measured a day ago is measured anew', () => {
  const memory = { ...aView().memory, capacity: { perSecond: 1000, atMs: NOW - 1440 * MINUTE } }
  assert.equal(next({ memory }, NOW).memory.capacity, undefined)
  assert.equal(next({ memory, rates: behind(1200, NOW) }, NOW).memory.capacity?.perSecond, 600)
})
