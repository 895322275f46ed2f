import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sizeOf } from '../../../operator/scaling/size.ts'
import { aSettled } from '../given.ts'

const partitions = (more: object) => ({ scaling: { mode: 'Partitions', ...more } })

const table: readonly [string, object, number | undefined, ReturnType<typeof sizeOf>][] = [
  ['one per partition', partitions({}), 6, { replicas: 6, reason: 'Partitions' }],
  ['rounded up', partitions({ partitionsPerReplica: 4 }), 9, { replicas: 3, reason: 'Partitions' }],
  ['never above the maximum', partitions({ maxReplicas: 2 }), 3, { replicas: 2, reason: 'AtMaxReplicas' }],
  ['at the maximum and not capped', partitions({ maxReplicas: 3 }), 3, { replicas: 3, reason: 'Partitions' }],
  ['none for no partitions', partitions({}), 0, { replicas: 0, reason: 'Partitions' }],
  ['held while unknown', partitions({}), undefined, { replicas: undefined, reason: 'Held' }],
  ['as set from outside', { scaling: { mode: 'External', replicas: 5 } }, 2, { replicas: 5, reason: 'External' }],
  [
    'suspended wins over all',
    { suspend: true, scaling: { mode: 'External', replicas: 5 } },
    2,
    { replicas: 0, reason: 'Suspended' }
  ]
]
for (const [name, spec, count, expected] of table) {
  test(`consumers: ${name}`, () => assert.deepEqual(sizeOf(aSettled(spec), count), expected))
}
