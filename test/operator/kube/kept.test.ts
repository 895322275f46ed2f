import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptOfPod } from '../../../operator/kube/kept.ts'
import { workloadOf, type Pod } from '../../../operator/objects/workload.ts'
import { inPeace } from '../given.ts'

const pod = (status: object): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop-consumer-1', namespace: 'lake', resourceVersion: '7', labels: { a: 'b' } },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'consumer', image: 'x', env: [{ name: 'A', value: 'B' }] }],
      volumes: [
        { name: 'config', configMap: { name: 'shop-config-1' } },
        { name: 'tmp', emptyDir: {} }
      ]
    },
    status
  }) as unknown as Pod

const states: readonly object[] = [
  {
    phase: 'Running',
    podIP: '10.0.0.1',
    containerStatuses: [{ name: 'consumer', ready: true, state: { running: {} } }]
  },
  { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: 'no node fits' }] },
  {
    containerStatuses: [
      {
        name: 'consumer',
        ready: false,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 78, message: '{"reason":"TableOwnedByOther","message":"x"}' } }
      }
    ]
  },
  {
    containerStatuses: [
      { name: 'consumer', ready: false, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }
    ]
  },
  {}
]

test('a pod says the same after most of it was left out', () => {
  const { deployment } = inPeace()
  for (const state of states) {
    const whole = pod(state)
    const kept = keptOfPod(whole)
    assert.deepEqual(workloadOf(deployment, [kept as Pod]), workloadOf(deployment, [whole]))
    assert.deepEqual(kept.metadata, whole.metadata)
  }
})

test('of a running pod its configuration’s volume and its state are left', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(keptOfPod(pod(states[0]!)))), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop-consumer-1', namespace: 'lake', resourceVersion: '7', labels: { a: 'b' } },
    spec: { volumes: [{ name: 'config', configMap: { name: 'shop-config-1' } }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'consumer', ready: true, state: { running: {} } }] }
  })
})
