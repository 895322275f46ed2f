/** Pipelines that end: no consumer once all is read, and Completed from then on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from '../../operator/plan.ts'
import { aLag, afterwards, aPipeline, IMAGE, inPeace, NOW, observing } from './given.ts'

const END = { position: 'Offsets', offsets: [{ partition: 0, offset: 100 }] }
const ends = { topics: [{ name: 'orders', table: 'bronze.orders', format: 'Json', endAt: END }] }
const read = { lag: aLag({ isComplete: true }), trouble: undefined }

const said = (status: ReturnType<typeof plan>['status'], type: string) => {
  const found = status.conditions?.find(condition => condition.type === type)
  return found && `${found.status}/${found.reason}`
}

test('a pipeline that ends runs consumers until all is read, then none, and is ready', () => {
  const before = inPeace(aPipeline(ends))
  assert.equal(said(before.pipeline.status ?? {}, 'Completed'), 'False/Reading')
  assert.equal(before.deployment?.spec?.replicas, 3)
  const completing = { ...before, source: read }
  const turn = plan(completing, IMAGE, NOW)
  const after = afterwards(completing, turn)
  assert.equal(after.deployment?.spec?.replicas, 0)
  const { status } = plan(after, IMAGE, NOW)
  assert.deepEqual(
    ['Completed', 'Ready', 'ScalingActive', 'Reconciling', 'Stalled'].map(type => said(status, type)),
    ['True/Completed', 'True/Completed', 'False/Completed', 'False/UpToDate', 'False/NotStalled']
  )
  assert.equal(status.summary?.pods, '0/0')
})

test('what is completed stays so when the group forgets it, or Kafka is gone, until the spec changes', () => {
  const completing = { ...inPeace(aPipeline(ends)), source: read }
  const done = afterwards(completing, plan(completing, IMAGE, NOW))
  const trouble = { reason: 'SourceUnreachable', message: 'gone' }
  const later = { ...done, source: { lag: aLag({ isComplete: false, lag: undefined }), trouble } }
  const { status, actions } = plan(later, IMAGE, NOW)
  assert.equal(said(status, 'Ready'), 'True/Completed')
  assert.deepEqual(actions, [])
  const { metadata } = later.pipeline
  const changed = { ...later, pipeline: { ...later.pipeline, metadata: { ...metadata, generation: 4 } } }
  const again = plan(changed, IMAGE, NOW)
  assert.equal(said(again.status, 'Completed'), 'False/Reading')
  assert.equal(afterwards(changed, again).deployment?.spec?.replicas, 3)
})

test('suspended is said before completed; a pipeline without an end says nothing of it', () => {
  const suspended = plan({ ...inPeace(aPipeline({ ...ends, suspend: true })), source: read }, IMAGE, NOW)
  assert.match(said(suspended.status, 'Ready') ?? '', /^False\/Suspend/)
  assert.equal(said(plan(observing(aPipeline()), IMAGE, NOW).status, 'Completed'), undefined)
})
