import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decideByLag, type LagView } from '../../../operator/scaling/by-lag.ts'
import { memoryOf, statusOfMemory, type ScalingMemory } from '../../../operator/scaling/memory.ts'
import { aScaling, aView, MINUTE, NOW, someRates, withPartition } from './given.ts'

const decided = (change: Partial<LagView> = {}, nowMs = NOW) => decideByLag(aView(change), nowMs)
const short = (change: Partial<LagView> = {}, nowMs = NOW) => {
  const { replicas, reason } = decided(change, nowMs)
  return `${replicas} ${reason}`
}
const remembering = (change: Partial<ScalingMemory>): { memory: ScalingMemory } => ({
  memory: { ...aView().memory, ...change }
})

suite('consumers by lag: more of them', () => {
  test('at peace everything stays', () => assert.equal(short(), '2 Sized'))

  test('what arrives and what waits, over the catch-up time, gives the next useful count at once', () => {
    // 1,500/s and 600,000 in ten minutes are 2,500/s: three would do with 1,000/s each.
    assert.equal(short({ rates: someRates(12, { arrival: 1500, drain: 1500, lag: 633_000 }) }), '3 CatchingUp')
    // 4,500/s are five, but five of twelve are no faster than four: six.
    assert.equal(short({ rates: someRates(12, { arrival: 3500, drain: 2000, lag: 677_000 }) }), '6 CatchingUp')
  })

  test('the change is told with figures', () => {
    const { cause } = decided({ rates: someRates(12, { arrival: 1500, drain: 1500, lag: 633_000 }) })
    assert.equal(cause, '630000 records wait, 1500 come per second, and one consumer writes 1000')
  })

  test('while no consumer was seen under load, what they write under load now is the measure', () => {
    const rates = someRates(12, { arrival: 100, drain: 400, lag: 1_000_000 })
    assert.equal(short({ current: 1, rates, ...remembering({ capacity: undefined }) }), '6 CatchingUp')
  })

  test('never more than partitions or maxReplicas', () => {
    const rates = someRates(12, { arrival: 90_000, drain: 12_000, lag: 1e9 })
    assert.equal(short({ current: 12, rates }), '12 AtPartitionCap')
    assert.equal(short({ rates }), '12 CatchingUp')
    assert.equal(short({ current: 6, rates, scaling: aScaling({ maxReplicas: 11 }) }), '6 AtMaxReplicas')
    assert.equal(short({ current: 12, scaling: aScaling({ maxReplicas: 4 }) }), '4 AtMaxReplicas')
  })

  test('a partition that is too much for one consumer is named, and gets no more consumers', () => {
    const rates = withPartition(someRates(12, { arrival: 120, drain: 120 }), 7, {
      arrival: 3000,
      drain: 1000,
      lag: 5_000_000,
      leastLag: 4_000_000
    })
    const decision = decided({ rates })
    assert.equal(`${decision.replicas} ${decision.reason} ${decision.hottest}`, '2 Skewed trips-7')
  })

  test('below minReplicas there are at once as many as it asks for', () => {
    assert.equal(short({ current: 2, scaling: aScaling({ minReplicas: 5 }) }), '6 Sized')
    assert.equal(short({ current: 0, scaling: aScaling({ minReplicas: 2 }), rates: undefined }), '2 Sized')
  })
})

suite('consumers by lag: fewer of them', () => {
  const low = { current: 6, rates: someRates(12, { arrival: 600, drain: 600 }) }

  test('one useful step, and only after the stabilisation time', () => {
    const first = decided(low)
    assert.equal(`${first.replicas} ${first.reason} ${first.lookAgainMs}`, `6 Stabilizing ${10 * MINUTE}`)
    assert.equal(first.memory.belowSinceMs, NOW)
    assert.equal(short({ ...low, memory: first.memory }, NOW + 9 * MINUTE), '6 Stabilizing')
    const last = decided({ ...low, memory: first.memory }, NOW + 10 * MINUTE)
    assert.equal(`${last.replicas} ${last.reason}`, '4 Sized')
    assert.equal(last.memory.belowSinceMs, undefined)
  })

  test('a moment in which fewer were not enough begins the time anew', () => {
    const since = remembering({ belowSinceMs: NOW - 9 * MINUTE })
    const busy = decided({ ...low, ...since, rates: someRates(12, { arrival: 4500, drain: 4500 }) })
    assert.equal(busy.reason, 'Sized')
    assert.equal(busy.memory.belowSinceMs, undefined)
  })

  test('a bit more than the limit to begin with does not begin it anew', () => {
    const rates = someRates(12, { arrival: 3100, drain: 3100 })
    assert.equal(short({ ...low, rates }), '6 Sized')
    assert.equal(short({ ...low, rates, ...remembering({ belowSinceMs: NOW - MINUTE }) }), '6 Stabilizing')
  })

  test('nobody is taken away from a backlog', () => {
    const rates = someRates(12, { arrival: 0, drain: 6000, lag: 60_000 })
    assert.equal(short({ ...low, rates, ...remembering({ belowSinceMs: NOW - 60 * MINUTE }) }), '6 CatchingUp')
  })

  test('while no consumer was ever seen under load, fewer are tried when nothing waits for long', () => {
    const unknown = remembering({ capacity: undefined, belowSinceMs: NOW - 10 * MINUTE })
    assert.equal(short({ ...low, ...unknown }), '4 Sized')
    assert.equal(short({ ...low, ...unknown, current: 1 }), '1 Sized')
  })

  test('another number than the useful ones stays until there is a reason to change it', () => {
    assert.equal(short({ current: 5, rates: someRates(12, { arrival: 3600, drain: 3600 }) }), '5 Sized')
    const since = remembering({ belowSinceMs: NOW - 10 * MINUTE })
    assert.equal(short({ current: 5, rates: someRates(12, { arrival: 600, drain: 600 }), ...since }), '4 Sized')
  })

  test('a new leader goes on where the old one was', () => {
    const status = statusOfMemory(decided(low).memory)
    const memory = memoryOf(status)
    assert.equal(short({ ...low, memory, rates: undefined }, NOW + 9.5 * MINUTE), '6 Measuring')
    const young = someRates(12, { arrival: 600, drain: 600 }, { spanMs: 15_000, steadyMs: 15_000 })
    assert.equal(short({ ...low, memory, rates: young }, NOW + 11 * MINUTE), '6 Measuring')
    assert.equal(short({ ...low, memory }, NOW + 12 * MINUTE), '4 Sized')
  })
})

suite('consumers by lag: held', () => {
  const backlog = someRates(12, { arrival: 1500, drain: 1500, lag: 3_000_000 })
  const since = remembering({ belowSinceMs: NOW - 60 * MINUTE, idleSinceMs: NOW - 60 * MINUTE })
  const unknown = withPartition(backlog, 3, { lag: undefined })
  const table: readonly [string, Partial<LagView>, string][] = [
    ['while the brokers do not answer', { hasSourceTrouble: true }, '2 LagUnknown'],
    ['while one partition is unknown', { rates: unknown }, '2 LagUnknown'],
    ['while a table cannot be written', { hasSinkTrouble: true }, '2 SinkFailing'],
    ['while pods are changed', { isRolledOut: false }, '2 RollingOut'],
    ['while the group rebalances', { group: { isStable: false, members: 2 } }, '2 Rebalancing'],
    ['while a consumer has not joined', { group: { isStable: true, members: 1 } }, '2 Rebalancing'],
    ['before anything was looked at', { rates: undefined }, '2 Measuring'],
    ['until a window has passed', { rates: { ...backlog, spanMs: 45_000 } }, '2 Measuring'],
    ['until the group was calm for a window', { rates: { ...backlog, steadyMs: 45_000 } }, '2 Measuring'],
    ['for a window after a change', remembering({ lastChangeMs: NOW - 59_000 }), '2 Measuring'],
    ['when records wait and none is written', { rates: { ...someRates(12, { lag: 9000 }) } }, '2 NoProgress'],
    [
      'while a topic is missing',
      { current: 12, partitions: 6, areTopicsThere: false, isRolledOut: false },
      '12 RollingOut'
    ],
    ['without partitions', { partitions: 0, rates: someRates(0, {}) }, '2 NoPartitions']
  ]
  for (const [name, change, expected] of table) {
    test(name, () => assert.equal(short({ rates: backlog, ...change }), expected))
  }

  test('and unknown lag forgets since when there was little to do', () => {
    const { memory } = decided({ ...since, rates: unknown })
    assert.deepEqual([memory.belowSinceMs, memory.idleSinceMs], [undefined, undefined])
  })
})

suite('consumers by lag: none of them', () => {
  const scaling = aScaling({ minReplicas: 0 })
  const idle = { scaling, rates: someRates(12, {}) }

  test('when nothing has come and nothing has waited for the idle time', () => {
    const first = decided(idle)
    assert.equal(`${first.replicas} ${first.memory.idleSinceMs}`, `2 ${NOW}`)
    assert.equal(short({ ...idle, memory: first.memory }, NOW + 9 * MINUTE), '2 Stabilizing')
    assert.equal(short({ ...idle, memory: first.memory }, NOW + 10 * MINUTE), '0 Idle')
  })

  test('with a long idle time there are fewer first, and the time goes on', () => {
    const slow = { ...idle, scaling: aScaling({ minReplicas: 0, idleMs: 60 * MINUTE }) }
    const started = decided({ ...slow, current: 6 })
    const fewer = decided({ ...slow, current: 6, memory: started.memory }, NOW + 10 * MINUTE)
    assert.equal(fewer.replicas, 4)
    assert.equal(fewer.memory.idleSinceMs, NOW)
    assert.equal(short({ ...slow, current: 4, memory: fewer.memory }, NOW + 60 * MINUTE), '0 Idle')
  })

  test('but not with minReplicas 1, while records come, while one waits, or before all was reported', () => {
    const long = remembering({ idleSinceMs: NOW - 60 * MINUTE, belowSinceMs: NOW })
    assert.equal(short({ ...idle, ...long, scaling: aScaling() }), '2 Stabilizing')
    for (const rates of [
      someRates(12, { arrival: 0.1, drain: 0.1 }),
      someRates(12, { lag: 1, leastLag: 0 }),
      withPartition(someRates(12, {}), 4, { isCommitted: false })
    ]) {
      const decision = decided({ ...idle, ...long, rates })
      assert.deepEqual([decision.replicas, decision.memory.idleSinceMs], [2, undefined])
    }
  })

  const asleep = { ...idle, current: 0, group: { isStable: false, members: 0 } }

  test('at rest it stays so', () => assert.equal(short(asleep), '0 Idle'))

  test('a single record wakes it at once, however lately it went to sleep', () => {
    const memory = remembering({ lastChangeMs: NOW - 1000, capacity: undefined })
    const rates = withPartition(someRates(12, {}, { spanMs: 0, steadyMs: 0 }), 11, { lag: 1 })
    assert.equal(short({ ...asleep, ...memory, rates }), '1 CatchingUp')
  })

  test('it wakes with as many as what waits needs, when it is known what one writes', () => {
    const rates = someRates(12, { arrival: 2000, lag: 600_000 }, { spanMs: 15_000 })
    assert.equal(short({ ...asleep, rates }), '3 CatchingUp')
  })

  test('unknown lag wakes it: offsets of an empty group expire', () => {
    const expired = { lag: undefined, isCommitted: false }
    assert.equal(short({ ...asleep, rates: withPartition(someRates(12, {}), 0, expired) }), '1 LagUnknown')
  })

  test('so does a group that holds nothing at all, also of empty topics: they must be begun', () => {
    const none = someRates(2, {})
    const rates = { ...none, partitions: none.partitions.map(part => ({ ...part, isCommitted: false })) }
    assert.equal(short({ ...asleep, rates, partitions: 2, ...remembering({ capacity: undefined }) }), '1 LagUnknown')
  })

  test('brokers that do not answer do not: nobody could read', () => {
    assert.equal(short({ ...asleep, hasSourceTrouble: true, rates: someRates(12, { lag: 5 }) }), '0 LagUnknown')
    assert.equal(short({ ...asleep, rates: undefined }), '0 LagUnknown')
  })
})
