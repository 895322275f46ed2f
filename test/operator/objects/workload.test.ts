import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workloadOf, type Deployment, type Pod } from '../../../operator/objects/workload.ts'

const deployment = (change: object = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', generation: 2 },
  spec: { replicas: 2 },
  status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2, ...change }
})

const pod = (container: object, more: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  status: { containerStatuses: [{ name: 'consumer', ready: false, ...container }], ...more }
})

const ended = (exitCode: number, message?: string, reason?: string) =>
  pod({
    state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
    lastState: { terminated: { exitCode, message, reason } }
  })

const table: readonly [string, Pod, object | undefined][] = [
  [
    'a consumer that says why it cannot go on',
    ended(78, JSON.stringify({ reason: 'TableOwnedByOther', message: 'lake/other writes it' })),
    { reason: 'TableOwnedByOther', message: 'lake/other writes it', isFatal: true }
  ],
  [
    'a defect',
    ended(70, JSON.stringify({ reason: 'Defect', message: 'broken invariant' })),
    { reason: 'Defect', message: 'broken invariant', isFatal: false }
  ],
  [
    'a text that is not ours',
    ended(1, 'Error: boom\n'),
    { reason: 'ConsumerFailed', message: 'Error: boom', isFatal: false }
  ],
  [
    'a reason that is not one word',
    ended(78, JSON.stringify({ reason: 'no good', message: 'm' })),
    { reason: 'ConsumerFailed', message: 'm', isFatal: true }
  ],
  [
    'no last words',
    ended(1),
    { reason: 'ConsumerFailed', message: 'a consumer ended with exit code 1; its log says more', isFatal: false }
  ],
  [
    'too much memory',
    ended(137, '', 'OOMKilled'),
    {
      reason: 'OutOfMemory',
      message: 'a consumer was ended for using too much memory: raise spec.consumer.resources.limits.memory',
      isFatal: false
    }
  ],
  ['a clean end', ended(0), { reason: 'CrashLoopBackOff', message: 'back-off', isFatal: false }],
  [
    'an image that cannot be had',
    pod({ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }),
    { reason: 'ImagePullBackOff', message: 'no such image', isFatal: false }
  ],
  [
    'no node',
    pod({}, { containerStatuses: [], conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes' }] }),
    { reason: 'Unschedulable', message: '0/3 nodes', isFatal: false }
  ],
  ['starting', pod({ state: { waiting: { reason: 'ContainerCreating' } } }), undefined],
  ['ready again after a crash', pod({ ready: true, lastState: { terminated: { exitCode: 78 } } }), undefined]
]
for (const [name, one, expected] of table) {
  test(`trouble: ${name}`, () => assert.deepEqual(workloadOf(deployment(), [one]).trouble, expected))
}

test('what only a person can end is told before what may pass', () => {
  assert.equal(
    workloadOf(deployment(), [ended(1, 'x'), ended(78, '{"reason":"A","message":"b"}')]).trouble?.reason,
    'A'
  )
})

test('pods on their way out are not looked at', () => {
  const leaving = { ...ended(78), metadata: { name: 'p', deletionTimestamp: '2026-06-01T12:00:00Z' } }
  assert.equal(workloadOf(deployment(), [leaving]).trouble, undefined)
})

test('a rollout is over when the newest pods are all there and the old ones are not', () => {
  assert.equal(workloadOf(deployment(), []).isRolledOut, true)
  assert.equal(workloadOf(deployment({ updatedReplicas: 1 }), []).isRolledOut, false)
  assert.equal(workloadOf(deployment({ replicas: 3 }), []).isRolledOut, false)
  assert.equal(workloadOf(deployment({ observedGeneration: 1 }), []).isRolledOut, false)
})
