import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../lib/log.ts'
import { EventRecorder } from '../../operator/events.ts'
import { KubeError } from '../../operator/kube.ts'
import { FakeKube } from '../fakes/kube.ts'
import { ManualClock } from '../fakes/manual-clock.ts'
import { aPipeline, NOW } from './given.ts'

const given = () => {
  const [kube, clock] = [new FakeKube(), new ManualClock(NOW)]
  return { kube, clock, events: new EventRecorder(kube, clock, silentLog, 'operator-0') }
}
const note = { type: 'Warning', reason: 'SourceUnreachable', message: 'no broker answers' } as const

test('the same event of a pipeline is written once in half an hour', async () => {
  const { kube, clock, events } = given()
  await events.tell(aPipeline(), note)
  await events.tell(aPipeline(), note)
  assert.equal(kube.calls.length, 1)
  await clock.advance(30 * 60_000)
  await events.tell(aPipeline(), note)
  assert.equal(kube.calls.length, 2)
})

test('another message, or another pipeline of that name, is another event', async () => {
  const { kube, clock, events } = given()
  await events.tell(aPipeline(), note)
  await clock.advance(1)
  await events.tell(aPipeline(), { ...note, message: 'other' })
  await clock.advance(1)
  await events.tell({ ...aPipeline(), metadata: { ...aPipeline().metadata, uid: 'other' } }, note)
  assert.equal(kube.calls.length, 3)
})

test('an event that cannot be written stops nobody', async () => {
  const { kube, events } = given()
  kube.failure = new KubeError(403, 'forbidden')
  await events.tell(aPipeline(), note)
  assert.equal(kube.calls.length, 1)
})
