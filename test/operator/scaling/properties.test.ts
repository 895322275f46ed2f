/** Rules that hold whatever is seen: a hundred thousand views, the same ones in each run. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decideByLag, type LagDecision, type LagView } from '../../../operator/scaling/by-lag.ts'
import type { PartitionRate, Rates } from '../../../operator/scaling/rates.ts'
import { usefulCounts } from '../../../operator/scaling/useful-counts.ts'
import { aScaling, aView, MINUTE, NOW, someRates } from './given.ts'
import { randomOf, type Random } from './random.ts'

const CASES = 100_000

function aCase(random: Random): LagView {
  const partitions = random.below(24)
  const isIdle = random.chance(0.2)
  const scaling = aScaling({
    minReplicas: random.below(4),
    maxReplicas: 4 + random.below(20),
    catchUpMs: (1 + random.below(20)) * MINUTE,
    stabilizationMs: random.below(20) * MINUTE,
    idleMs: random.below(20) * MINUTE
  })
  const current = random.chance(0.2) ? 0 : random.below(26)
  return {
    scaling,
    triggerMs: random.below(30_000),
    partitions,
    areTopicsThere: random.chance(0.95),
    current,
    isRolledOut: random.chance(0.9),
    group: random.chance(0.1)
      ? undefined
      : { isStable: random.chance(0.9), members: current - (random.chance(0.1) ? 1 : 0) },
    rates: random.chance(0.05) ? undefined : ratesIn(random, partitions, isIdle),
    hasSourceTrouble: random.chance(0.05),
    hasSinkTrouble: random.chance(0.05),
    memory: {
      lastChangeMs: maybe(random, NOW - random.below(120 * MINUTE)),
      belowSinceMs: maybe(random, NOW - random.below(30 * MINUTE)),
      idleSinceMs: maybe(random, NOW - random.below(30 * MINUTE)),
      capacity: maybe(random, { perSecond: 1 + random.below(5000), atMs: NOW - random.below(1500 * MINUTE) }),
      ineffectiveTries: random.chance(0.8) ? 0 : random.below(3),
      attempt: random.chance(0.8) ? undefined : { replicas: 1 + random.below(12), perSecond: random.below(20_000) }
    }
  }
}

const maybe = <T>(random: Random, value: T): T | undefined => (random.chance(0.5) ? value : undefined)

function ratesIn(random: Random, count: number, isIdle: boolean): Rates {
  const size = 10 ** random.below(5)
  const isAllKnown = random.chance(0.85)
  const partitions = Array.from({ length: count }, (_, partition): PartitionRate => {
    const lag = isIdle || random.chance(0.3) ? 0 : random.below(600 * size)
    const isKnown = isAllKnown || random.chance(0.8)
    return {
      topic: 'trips',
      partition,
      arrival: isIdle ? 0 : random.next() * size,
      drain: isIdle ? 0 : random.next() * size,
      lag: isKnown ? lag : undefined,
      leastLag: isKnown ? Math.floor(lag * random.next()) : undefined,
      isCommitted: random.chance(0.98)
    }
  })
  const ms = () => (random.chance(0.1) ? random.below(MINUTE) : MINUTE + random.below(MINUTE))
  return { atMs: NOW - random.below(15_000), windowMs: MINUTE, spanMs: ms(), steadyMs: ms(), partitions }
}

/** Whether the case is one that the rule speaks of; throws when the rule does not hold. */
type Check = (view: LagView, decision: LagDecision) => boolean

/** What holds, and of how many cases at least it is said. */
const rules: readonly (readonly [name: string, least: number, check: Check])[] = [
  [
    'never more than partitions and maxReplicas, and only useful numbers when the number changes',
    20_000,
    (view, { replicas = view.current }) => {
      if (view.partitions === 0 || replicas === view.current) return false
      assert.ok(replicas <= Math.min(view.partitions, view.scaling.maxReplicas))
      if (replicas !== 0) assert.ok(usefulCounts(view.partitions).includes(replicas))
      return true
    }
  ],
  [
    'each change is remembered with its time and has a cause; without one the time stays',
    20_000,
    (view, decision) => {
      const hasChanged = decision.replicas !== view.current
      assert.equal(decision.memory.lastChangeMs, hasChanged ? NOW : view.memory.lastChangeMs)
      assert.equal(decision.cause !== undefined, hasChanged)
      return hasChanged
    }
  ],
  [
    'never fewer on unknown lag, except down to what is allowed',
    10_000,
    (view, decision) => {
      if (isKnown(view) || isAboveBounds(view)) return false
      assert.ok(!isDown(view, decision))
      return true
    }
  ],
  [
    'none only with minReplicas 0, when nothing came and nothing waited for the idle time',
    50,
    (view, decision) => {
      if (view.current === 0 || decision.replicas !== 0) return false
      assert.equal(view.scaling.minReplicas, 0)
      assert.ok(isKnown(view))
      for (const { lag, arrival, isCommitted } of view.rates?.partitions ?? []) {
        assert.ok(lag === 0 && arrival === 0 && isCommitted)
      }
      assert.ok(hasLasted(view.memory.idleSinceMs, view.scaling.idleMs))
      return true
    }
  ],
  [
    'fewer only by one useful step, after the stabilisation time',
    200,
    (view, decision) => {
      if (!isDown(view, decision) || decision.replicas === 0 || isAboveBounds(view)) return false
      assert.equal(
        decision.replicas,
        usefulCounts(view.partitions).findLast(count => count < view.current)
      )
      assert.ok(hasLasted(view.memory.belowSinceMs, view.scaling.stabilizationMs))
      return true
    }
  ],
  [
    'nothing changes while pods or the group do, or before a window has passed since the last change',
    5_000,
    (view, decision) => {
      const { current, group, scaling, rates, memory } = view
      if (current === 0 || current < scaling.minReplicas || isAboveBounds(view)) return false
      const isMoving = !view.isRolledOut || (group !== undefined && (!group.isStable || group.members < current))
      const isFresh = NOW - (memory.lastChangeMs ?? 0) < (rates?.windowMs ?? 0)
      const isShort = rates !== undefined && (rates.spanMs < rates.windowMs || rates.steadyMs < rates.windowMs)
      if (!isMoving && !isFresh && !isShort) return false
      assert.equal(decision.replicas, current)
      return true
    }
  ],
  [
    'what waits wakes those that rest, at once',
    2000,
    (view, decision) => {
      if (view.current > 0 || view.partitions === 0 || !isKnown(view)) return false
      if (!view.rates?.partitions.some(({ lag }) => lag !== 0)) return false
      assert.ok((decision.replicas ?? 0) > 0)
      return true
    }
  ],
  [
    'the same view gives the same decision',
    CASES,
    (view, decision) => {
      assert.deepEqual(decideByLag(view, NOW), decision)
      return true
    }
  ]
]

const isDown = ({ current }: LagView, { replicas = current }: LagDecision) => replicas < current
const isKnown = ({ rates, hasSourceTrouble }: LagView) =>
  !hasSourceTrouble && rates?.partitions.every(({ lag }) => lag !== undefined) === true
const isAboveBounds = ({ current, partitions, scaling }: LagView) => current > Math.min(partitions, scaling.maxReplicas)
const hasLasted = (sinceMs: number | undefined, forMs: number) => NOW - (sinceMs ?? NOW) >= forMs

suite('whatever is seen', () => {
  const random = randomOf(1)
  const hits = new Map<string, number>()
  const failures = new Map<string, Error>()
  for (let index = 0; index < CASES; index++) {
    const view = aCase(random)
    const decision = decideByLag(view, NOW)
    for (const [name, , check] of rules) {
      try {
        if (check(view, decision)) hits.set(name, (hits.get(name) ?? 0) + 1)
      } catch (cause) {
        if (!failures.has(name)) {
          failures.set(name, new Error(`case ${index}: ${JSON.stringify({ view, decision })}`, { cause }))
        }
      }
    }
  }
  for (const [name, least] of rules) {
    test(name, () => {
      const failure = failures.get(name)
      if (failure !== undefined) throw failure
      assert.ok((hits.get(name) ?? 0) >= least, `said of ${hits.get(name)} of ${CASES} cases`)
    })
  }
})

test('where no partition is hot, more to write never means fewer consumers', () => {
  const random = randomOf(2)
  let raised = 0
  for (let index = 0; index < CASES / 5; index++) {
    const partitions = 1 + random.below(48)
    const current = 1 + random.below(partitions)
    const [arrival, lag] = [random.below(20_000), random.below(10_000_000)]
    const decide = (factor: number) =>
      decideByLag(
        aView({
          partitions,
          current,
          rates: someRates(partitions, { arrival: arrival * factor, drain: 1000, lag: lag * factor })
        }),
        NOW
      ).replicas ?? 0
    const [some, more] = [decide(1), decide(1 + 3 * random.next())]
    assert.ok(more >= some, `${some} became ${more}: ${JSON.stringify({ partitions, current, arrival, lag })}`)
    if (more > some) raised++
  }
  assert.ok(raised > 1000, `${raised}`)
})
