import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RevisionStatus } from '../../../crds/pipeline.ts'
import { decideRevision, type Situation } from '../../../operator/revision/rollback.ts'

/** One minute of a pipeline's life; what is not said is as in the minute before. */
interface Minute {
  readonly wanted?: string
  readonly readiness?: Situation['readiness']
  readonly hitsAll?: boolean
  readonly isSuspended?: boolean
  /** The ConfigMap of that revision was deleted by somebody. */
  readonly gone?: string
  /** The revision that must be applied at the end of this minute. */
  readonly runs: string
}

const TIMEOUT_MS = 3 * 60_000

/** Lives through the minutes; gives the last status. */
function live(minutes: readonly Minute[], start?: RevisionStatus): RevisionStatus | undefined {
  let status = start
  let now: Required<Omit<Minute, 'runs'>> = {
    wanted: 'a',
    readiness: 'NotReady',
    hitsAll: false,
    isSuspended: false,
    gone: ''
  }
  let nowMs = Date.parse('2026-06-01T12:00:00Z')
  for (const [index, { runs, ...change }] of minutes.entries()) {
    now = { ...now, ...change }
    const { gone } = now
    const trouble = { reason: 'ImagePullBackOff', message: 'no such image' }
    const common = { ...now, trouble, timeoutMs: TIMEOUT_MS, nowMs, isThere: (name: string) => name !== gone }
    // What a turn applies is seen in the next one.
    const applied = decideRevision({ ...common, before: status })
    const readiness = status?.name === applied.apply ? now.readiness : 'NotReady'
    const decided = decideRevision({ ...common, before: status, readiness })
    status = decided.status
    assert.equal(decided.apply, runs, `minute ${index}`)
    assert.equal(status.name, decided.apply)
    nowMs += 60_000
  }
  return status
}

const healthyA = live([{ runs: 'a' }, { readiness: 'Stable', runs: 'a' }])
const failingB: readonly Minute[] = [
  { wanted: 'b', readiness: 'NotReady', runs: 'b' },
  { runs: 'b' },
  { runs: 'b' },
  { runs: 'b' },
  { runs: 'a' }
]

test('a revision is healthy once its consumers have been ready for a while, and that is remembered', () => {
  assert.deepEqual(healthyA, { name: 'a', healthy: true, lastHealthy: 'a' })
})

test('one whose consumers do not become ready in time makes room for the last healthy one', () => {
  const status = live(failingB, healthyA)
  assert.deepEqual(status?.rolledBack, {
    name: 'b',
    time: '2026-06-01T12:04:00Z',
    reason: 'ImagePullBackOff',
    message: 'no such image'
  })
  assert.equal(status.lastHealthy, 'a')
})

const rolledBack = live(failingB, healthyA)

const histories: readonly (readonly [string, RevisionStatus | undefined, readonly Minute[]])[] = [
  ['the first revision ever has nothing to go back to', undefined, Array.from({ length: 20 }, () => ({ runs: 'a' }))],
  [
    'what has gone back stays there, however the consumers are',
    rolledBack,
    [
      { wanted: 'b', readiness: 'Stable', runs: 'a' },
      { readiness: 'NotReady', runs: 'a' },
      ...Array.from({ length: 20 }, () => ({ runs: 'a' })),
      { readiness: 'Stable', runs: 'a' }
    ]
  ],
  [
    'another spec is tried, and when it fails as well the healthy one comes back once more',
    rolledBack,
    [
      { wanted: 'c', readiness: 'NotReady', runs: 'c' },
      { runs: 'c' },
      { runs: 'c' },
      { runs: 'c' },
      { runs: 'a' },
      { runs: 'a' }
    ]
  ],
  [
    'a spec that works ends it',
    rolledBack,
    [
      { wanted: 'c', runs: 'c' },
      { readiness: 'Stable', runs: 'c' },
      { readiness: 'NotReady', runs: 'c' },
      ...Array.from({ length: 10 }, () => ({ runs: 'c' }))
    ]
  ],
  [
    'the spec that failed is tried again after a suspension',
    rolledBack,
    [
      { wanted: 'b', isSuspended: true, readiness: 'None', runs: 'b' },
      { isSuspended: false, readiness: 'NotReady', runs: 'b' },
      { readiness: 'Stable', runs: 'b' },
      { readiness: 'NotReady', runs: 'b' },
      { runs: 'b' },
      { runs: 'b' },
      { runs: 'b' },
      { runs: 'b' }
    ]
  ],
  [
    'and goes back again when it fails again',
    rolledBack,
    [
      { wanted: 'b', isSuspended: true, readiness: 'None', runs: 'b' },
      { isSuspended: false, readiness: 'NotReady', runs: 'b' },
      { runs: 'b' },
      { runs: 'b' },
      { runs: 'a' },
      { runs: 'a' }
    ]
  ],
  [
    'the old spec itself ends it without a restart',
    rolledBack,
    [{ wanted: 'a', runs: 'a' }, { runs: 'a' }, { runs: 'a' }, { runs: 'a' }, { runs: 'a' }, { runs: 'a' }]
  ],
  [
    'the time does not run while what fails would fail with the other one too, and begins anew after that',
    healthyA,
    [
      { wanted: 'b', runs: 'b' },
      { runs: 'b' },
      { runs: 'b' },
      { hitsAll: true, runs: 'b' },
      ...Array.from({ length: 10 }, () => ({ runs: 'b' })),
      { hitsAll: false, runs: 'b' },
      { runs: 'b' },
      { runs: 'b' },
      { runs: 'a' }
    ]
  ],
  [
    'nor while there is no consumer to become ready',
    healthyA,
    [
      { wanted: 'b', runs: 'b' },
      { readiness: 'None', runs: 'b' },
      ...Array.from({ length: 10 }, () => ({ runs: 'b' })),
      { readiness: 'NotReady', runs: 'b' },
      { readiness: 'Stable', runs: 'b' }
    ]
  ],
  [
    'consumers that are ready for a moment at the end of the time are given the moment, and no second time',
    healthyA,
    [
      { wanted: 'b', runs: 'b' },
      { runs: 'b' },
      { runs: 'b' },
      { runs: 'b' },
      { readiness: 'Ready', runs: 'b' },
      { readiness: 'NotReady', runs: 'a' }
    ]
  ],
  [
    'one that was healthy once is never left, whatever happens to it later',
    healthyA,
    [
      { wanted: 'b', runs: 'b' },
      { readiness: 'Stable', runs: 'b' },
      { readiness: 'NotReady', runs: 'b' },
      ...Array.from({ length: 30 }, () => ({ runs: 'b' }))
    ]
  ],
  [
    'back from b to a that no longer works: b comes back, which was healthy last',
    healthyA,
    [
      { wanted: 'b', runs: 'b' },
      { readiness: 'Stable', runs: 'b' },
      { wanted: 'a', readiness: 'NotReady', runs: 'a' },
      { runs: 'a' },
      { runs: 'a' },
      { runs: 'a' },
      { runs: 'b' },
      { runs: 'b' }
    ]
  ],
  [
    'when the last healthy one was deleted there is nothing to go back to',
    healthyA,
    [{ wanted: 'b', gone: 'a', runs: 'b' }, ...Array.from({ length: 10 }, () => ({ runs: 'b' }))]
  ],
  [
    'and when it is deleted after the way back, what the spec asks for is all there is',
    rolledBack,
    [{ wanted: 'b', gone: 'a', runs: 'b' }, ...Array.from({ length: 10 }, () => ({ runs: 'b' }))]
  ],
  [
    'a new spec each minute is tried each minute',
    healthyA,
    ['b', 'c', 'd', 'e', 'f', 'g'].map(wanted => ({ wanted, runs: wanted }))
  ]
]
for (const [what, start, minutes] of histories) test(what, () => void live(minutes, start))

test('without a time the new one is waited for, for ever', () => {
  const situation = {
    wanted: 'b',
    isThere: () => true,
    readiness: 'NotReady',
    hitsAll: false,
    trouble: undefined,
    isSuspended: false,
    timeoutMs: undefined
  } as const
  let status = healthyA
  for (let day = 0; day < 30; day++) {
    const decided = decideRevision({ ...situation, before: status, nowMs: day * 86_400_000 })
    assert.equal(decided.apply, 'b')
    assert.equal(decided.againAtMs, undefined)
    ;({ status } = decided)
  }
})

test('it is said when to look again, so that the time ends without anything happening', () => {
  const situation = {
    wanted: 'b',
    before: { name: 'b', healthy: false, lastHealthy: 'a', since: '2026-06-01T12:00:00Z' },
    isThere: () => true,
    readiness: 'NotReady',
    hitsAll: false,
    trouble: undefined,
    isSuspended: false,
    timeoutMs: TIMEOUT_MS,
    nowMs: Date.parse('2026-06-01T12:01:00Z')
  } as const
  assert.equal(decideRevision(situation).againAtMs, Date.parse('2026-06-01T12:03:00Z'))
})

test('whatever happens, no revision is applied twice without somebody wanting it', () => {
  let seed = 11
  const next = (below: number) => (seed = (seed * 48271) % 2147483647) % below
  for (let life = 0; life < 500; life++) {
    let status: RevisionStatus | undefined
    let wanted = 'a'
    let applied = ''
    let [asked, changes] = [0, 0]
    for (let minute = 0; minute < 60; minute++) {
      const isSuspended = next(12) === 0
      const isNew = next(10) === 0
      if (isNew) wanted = ['a', 'b', 'c'][next(3)]!
      if (isNew || isSuspended) asked++
      const decided = decideRevision({
        wanted,
        before: status,
        isThere: () => true,
        readiness: (['Stable', 'Ready', 'NotReady', 'NotReady', 'None'] as const)[next(5)]!,
        hitsAll: next(6) === 0,
        trouble: undefined,
        isSuspended,
        timeoutMs: TIMEOUT_MS,
        nowMs: minute * 60_000
      })
      ;({ status } = decided)
      if (decided.apply !== applied) changes++
      applied = decided.apply
    }
    // The first, one for each time that somebody asked for something, and at most one way back after each.
    assert.ok(changes <= 1 + 2 * asked + 1, `${changes} changes, asked ${asked} times`)
  }
})
