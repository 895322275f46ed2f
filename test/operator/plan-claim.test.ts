import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Taken } from '../../operator/claims/claim-index.ts'
import { plan } from '../../operator/plan.ts'
import {
  afterwards,
  aPipeline,
  conditionOf,
  deploymentIn,
  IMAGE,
  inPeace,
  NOW,
  observing,
  sentences,
  aLag
} from './given.ts'

const claim: Taken = { holder: 'lake/first', what: 'table', name: 'bronze.orders' }
const nothing = { lag: undefined, trouble: undefined }

test('a pipeline whose table is another’s starts no consumer, and says whose', () => {
  const planned = plan(observing(aPipeline(), { claim, source: nothing }), IMAGE, NOW)
  assert.equal(deploymentIn(planned), undefined)
  for (const type of ['Ready', 'WorkloadAvailable', 'ScalingActive']) {
    assert.equal(conditionOf(planned, type), 'False ClaimedByOther')
  }
  assert.equal(conditionOf(planned, 'Stalled'), 'True ClaimedByOther')
  assert.equal(conditionOf(planned, 'Reconciling'), 'False Stalled')
  assert.equal(conditionOf(planned, 'CaughtUp'), 'Unknown LagUnknown')
  assert.equal(planned.status.summary?.lag, '?')
  const message = planned.status.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
  assert.match(message, /the table bronze\.orders belongs to the older pipeline lake\/first: .*spec\.topics\[\]\.table/)
  assert.deepEqual(
    planned.notes.map(({ type, reason }) => `${type} ${reason}`),
    ['Warning ClaimedByOther']
  )
})

test('consumers that run are stopped when an older pipeline turns up', () => {
  const observed = { ...inPeace(), claim, source: nothing }
  const stopping = plan(observed, IMAGE, NOW)
  assert.equal(deploymentIn(stopping)?.spec?.replicas, 0)
  const after = plan(afterwards(observed, stopping), IMAGE, NOW)
  assert.deepEqual(sentences(after), [])
  assert.equal(conditionOf(after, 'Stalled'), 'True ClaimedByOther')
})

test('it starts by itself when the older one is gone', () => {
  const observed = { ...inPeace(), claim, source: nothing }
  const stopped = afterwards(observed, plan(observed, IMAGE, NOW))
  const again = plan({ ...stopped, claim: undefined, source: { lag: aLag(), trouble: undefined } }, IMAGE, NOW)
  assert.equal(deploymentIn(again)?.spec?.replicas, 3)
  assert.equal(conditionOf(again, 'Stalled'), 'False NotStalled')
})

test('a group that is another’s is told by its own field', () => {
  const group: Taken = { holder: 'lake/first', what: 'group', name: 'g' }
  const { status } = plan(observing(aPipeline(), { claim: group, source: nothing }), IMAGE, NOW)
  assert.match(status.conditions?.[0]?.message ?? '', /the group g belongs .*spec\.source\.groupId/)
})
