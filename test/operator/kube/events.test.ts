import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../lib/log.ts'
import { EventRecorder } from '../../../operator/kube/events.ts'
import { EVENTS, KubeError } from '../../../operator/kube/kube.ts'
import { FakeKube } from '../../fakes/kube.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const NOW = Date.parse('2026-06-01T12:00:00Z')
const aPipeline = () => ({
  apiVersion: 'bronze.dev/v1alpha1',
  kind: 'BronzePipeline',
  metadata: { namespace: 'lake', name: 'shop', uid: 'uid-1' }
})
const HALF_AN_HOUR_MS = 30 * 60_000

const given = () => {
  const [kube, clock] = [new FakeKube(), new ManualClock(NOW)]
  const written = () =>
    [...kube.objects.values()] as unknown as readonly {
      readonly count: number
      readonly firstTimestamp: string
      readonly lastTimestamp: string
    }[]
  const verbs = () => kube.calls.map(call => call.split(' ')[0])
  return { kube, clock, written, verbs, events: new EventRecorder(kube, clock, silentLog, 'operator-0') }
}
const note = { type: 'Warning', reason: 'SourceUnreachable', message: 'no broker answers' } as const

test('the same event is one event, written once in half an hour, with the times it happened', async () => {
  const { clock, events, verbs, written } = given()
  for (let turn = 0; turn < 4; turn++) await events.tell(aPipeline(), note)
  assert.deepEqual(verbs(), ['create'])
  await clock.advance(HALF_AN_HOUR_MS)
  await events.tell(aPipeline(), note)
  await events.tell(aPipeline(), note)
  assert.deepEqual(verbs(), ['create', 'patch'])
  assert.deepEqual(
    written().map(({ count, firstTimestamp, lastTimestamp }) => [count, firstTimestamp, lastTimestamp]),
    [[5, '2026-06-01T12:00:00Z', '2026-06-01T12:30:00Z']]
  )
})

test('another message, or another pipeline of that name, is another event', async () => {
  const { clock, events, written } = given()
  await events.tell(aPipeline(), note)
  await clock.advance(1)
  await events.tell(aPipeline(), { ...note, message: 'other' })
  await clock.advance(1)
  await events.tell({ ...aPipeline(), metadata: { ...aPipeline().metadata, uid: 'other' } }, note)
  assert.equal(written().length, 3)
})

test('an event that has expired meanwhile is written anew', async () => {
  const { kube, clock, events, written } = given()
  await events.tell(aPipeline(), note)
  kube.objects.clear()
  await clock.advance(HALF_AN_HOUR_MS)
  await events.tell(aPipeline(), note)
  assert.deepEqual(
    written().map(({ count, firstTimestamp }) => [count, firstTimestamp]),
    [[1, '2026-06-01T12:30:00Z']]
  )
  await clock.advance(HALF_AN_HOUR_MS)
  await events.tell(aPipeline(), note)
  assert.deepEqual(
    written().map(({ count }) => count),
    [2]
  )
})

test('an event that cannot be written stops nobody', async () => {
  const { kube, clock, events, verbs } = given()
  for (const status of [0, 403, 409, 500]) {
    kube.failure = new KubeError(status, 'no')
    await events.tell(aPipeline(), { ...note, message: `while ${status}` })
  }
  assert.deepEqual(verbs(), ['create', 'create', 'create', 'create'])
  await clock.advance(HALF_AN_HOUR_MS)
  await events.tell(aPipeline(), { ...note, message: 'while 500' })
  assert.equal(verbs().at(-1), 'patch')
})

test('an object with ever new things to tell gets 25 of them, then one in five minutes; others get theirs', async () => {
  const { clock, events, written } = given()
  for (let turn = 0; turn < 40; turn++) {
    await events.tell(aPipeline(), { ...note, message: `trouble ${turn}` })
    await clock.advance(1)
  }
  assert.equal(written().length, 25)
  await events.tell({ ...aPipeline(), metadata: { ...aPipeline().metadata, name: 'other' } }, note)
  assert.equal(written().length, 26)
  await clock.advance(600_000)
  for (let turn = 0; turn < 40; turn++) {
    await events.tell(aPipeline(), { ...note, message: `more ${turn}` })
    await clock.advance(1)
  }
  assert.equal(written().length, 28)
})

test('what the API server gets is an event about the pipeline, with a message of a thousand characters at most', async () => {
  const { kube, events } = given()
  await events.tell(aPipeline(), { ...note, message: 'x'.repeat(2000) })
  const [event] = kube.objects.values()
  const { message, involvedObject } = event as unknown as { message: string; involvedObject: object }
  assert.equal(event?.kind, EVENTS.kind)
  assert.equal(message.length, 1000)
  assert.deepEqual(involvedObject, {
    apiVersion: 'bronze.dev/v1alpha1',
    kind: 'BronzePipeline',
    namespace: 'lake',
    name: 'shop',
    uid: 'uid-1',
    resourceVersion: ''
  })
})
