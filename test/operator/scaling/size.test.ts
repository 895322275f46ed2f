import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replicasFor, sizeOf } from '../../../operator/scaling/size.ts'
import { workloadOf } from '../../../operator/objects/workload.ts'
import { aLag, aSettled, NOW } from '../given.ts'

const partitions = (more: object) => ({ scaling: { mode: 'Partitions', ...more } })
const lag = (more: object) => ({ scaling: { mode: 'Lag', ...more } })

const size = (spec: object, count: number | undefined) => {
  const { replicas, reason } = sizeOf({
    settled: aSettled(spec),
    source: { lag: count === undefined ? undefined : aLag({ partitions: count }), trouble: undefined },
    workload: workloadOf(undefined, []),
    status: {},
    nowMs: NOW
  })
  return { replicas, reason }
}

const table: readonly [string, object, number | undefined, ReturnType<typeof size>][] = [
  ['one per partition', partitions({}), 6, { replicas: 6, reason: 'Partitions' }],
  ['rounded up', partitions({ partitionsPerReplica: 4 }), 9, { replicas: 3, reason: 'Partitions' }],
  ['never above the maximum', partitions({ maxReplicas: 2 }), 3, { replicas: 2, reason: 'AtMaxReplicas' }],
  ['at the maximum and not capped', partitions({ maxReplicas: 3 }), 3, { replicas: 3, reason: 'Partitions' }],
  ['none for no partitions', partitions({}), 0, { replicas: 0, reason: 'Partitions' }],
  ['held while unknown', partitions({}), undefined, { replicas: undefined, reason: 'Held' }],
  ['held by mode Lag while unknown', lag({ minReplicas: 2 }), undefined, { replicas: undefined, reason: 'Held' }],
  ['by mode Lag the least to begin with', lag({ minReplicas: 2 }), 8, { replicas: 2, reason: 'Sized' }],
  ['as set from outside', { scaling: { mode: 'External', replicas: 5 } }, 2, { replicas: 5, reason: 'External' }],
  ['suspended wins over lag', { suspend: true, ...lag({}) }, 2, { replicas: 0, reason: 'Suspended' }],
  [
    'suspended wins over all',
    { suspend: true, scaling: { mode: 'External', replicas: 5 } },
    2,
    { replicas: 0, reason: 'Suspended' }
  ]
]
for (const [name, spec, count, expected] of table) {
  test(`consumers: ${name}`, () => assert.deepEqual(size(spec, count), expected))
}

test('while suspended only what a consumer was seen to write is remembered', () => {
  const scaling = {
    recordsPerSecond: 500,
    measuredTime: '2026-06-01T11:00:00Z',
    belowSince: '2026-06-01T11:30:00Z',
    lastChangeTime: '2026-06-01T11:20:00Z',
    ineffectiveTries: 2
  }
  const { state } = sizeOf({
    settled: aSettled({ suspend: true, ...lag({}) }),
    source: { lag: aLag(), trouble: undefined },
    workload: workloadOf(undefined, []),
    status: { scaling },
    nowMs: NOW
  })
  assert.deepEqual(state, { recordsPerSecond: 500, measuredTime: '2026-06-01T11:00:00Z' })
})

test('where nobody looks at the lag there are as many consumers as are of use', () => {
  assert.equal(replicasFor(aSettled(lag({ maxReplicas: 10 })), 12), 6)
  assert.equal(replicasFor(aSettled(lag({})), 3), 3)
  assert.equal(replicasFor(aSettled(lag({})), undefined), undefined)
  assert.equal(replicasFor(aSettled(partitions({ partitionsPerReplica: 4 })), 9), 3)
  assert.equal(replicasFor(aSettled({ suspend: true }), 9), 0)
})
