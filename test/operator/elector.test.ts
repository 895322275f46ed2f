import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../lib/log.ts'
import { Elector } from '../../operator/elector.ts'
import { KubeError } from '../../operator/kube.ts'
import { FakeKube } from '../fakes/kube.ts'
import { ManualClock } from '../fakes/manual-clock.ts'

interface Lease {
  readonly spec: { readonly holderIdentity: string; readonly renewTime: string; readonly leaseTransitions: number }
}

const given = () => {
  const kube = new FakeKube()
  const elector = (identity: string, clock: ManualClock) =>
    new Elector({ kube, clock, log: silentLog, namespace: 'bronze', name: 'bronze-operator', identity })
  const lease = () => (kube.objects.get('Lease bronze/bronze-operator') as unknown as Lease).spec
  return { kube, elector, lease }
}

/** Resolves only when told; the answer so far. */
const watching = <T>(promise: Promise<T>) => {
  const state: { value: T | 'pending' } = { value: 'pending' }
  void promise.then(value => (state.value = value))
  return state
}

const noStop = () => new AbortController().signal

test('the first one makes the lease and leads, with a time of six digits', async () => {
  const { elector, lease } = given()
  const clock = new ManualClock(Date.parse('2026-06-01T12:00:00.123Z'))
  const first = elector('a', clock)
  await first.elected(noStop())
  assert.equal(first.isLeader, true)
  assert.equal(lease().holderIdentity, 'a')
  assert.equal(lease().renewTime, '2026-06-01T12:00:00.123000Z')
})

test('a second one waits while the lease changes, however wrong its clock is', async () => {
  const { elector } = given()
  const [clockA, clockB] = [new ManualClock(0), new ManualClock(1e12)]
  const a = elector('a', clockA)
  await a.elected(noStop())
  const held = watching(a.hold(noStop()))
  const b = elector('b', clockB)
  void b.elected(noStop())
  for (let second = 0; second < 60; second++) {
    await clockA.advance(1000)
    await clockB.advance(1000)
  }
  assert.equal(b.isLeader, false)
  assert.equal(held.value, 'pending')
})

test('a lease that does not change for its whole duration is taken', async () => {
  const { elector, lease } = given()
  await elector('a', new ManualClock(0)).elected(noStop())
  const clock = new ManualClock(0)
  const b = elector('b', clock)
  void b.elected(noStop())
  await clock.advance(15_000)
  assert.equal(b.isLeader, false)
  await clock.advance(5000)
  assert.equal(b.isLeader, true)
  assert.equal(lease().holderIdentity, 'b')
  assert.equal(lease().leaseTransitions, 1)
})

test('a leader that cannot renew for ten seconds is lost before another may lead', async () => {
  const { kube, elector } = given()
  const clock = new ManualClock(0)
  const a = elector('a', clock)
  await a.elected(noStop())
  const held = watching(a.hold(noStop()))
  kube.failure = new KubeError(0, 'no answer')
  await clock.advance(9000)
  assert.equal(held.value, 'pending')
  await clock.advance(5000)
  assert.equal(held.value, 'lost')
  assert.equal(a.isLeader, false)
})

test('a leader whose lease another has is lost at once', async () => {
  const { kube, elector } = given()
  const clock = new ManualClock(0)
  const a = elector('a', clock)
  await a.elected(noStop())
  const held = watching(a.hold(noStop()))
  const key = 'Lease bronze/bronze-operator'
  kube.objects.set(key, { ...kube.objects.get(key)!, spec: { holderIdentity: 'b' } } as never)
  await clock.advance(3000)
  assert.equal(held.value, 'lost')
})

test('a lease that was given back is taken without waiting', async () => {
  const { elector, lease } = given()
  const clock = new ManualClock(0)
  const a = elector('a', clock)
  const stop = new AbortController()
  await a.elected(noStop())
  const held = watching(a.hold(stop.signal))
  stop.abort()
  await clock.advance(0)
  assert.equal(held.value, 'stopped')
  await a.release()
  assert.equal(lease().holderIdentity, '')
  const b = elector('b', clock)
  await b.elected(noStop())
  assert.equal(b.isLeader, true)
})
