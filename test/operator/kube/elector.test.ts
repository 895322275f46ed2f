import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../lib/log.ts'
import { Elector } from '../../../operator/kube/elector.ts'
import { KubeError, LEASES } from '../../../operator/kube/kube.ts'
import { FakeKube } from '../../fakes/kube.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

interface Lease {
  readonly spec: { readonly holderIdentity: string; readonly renewTime: string; readonly leaseTransitions: number }
}

const given = () => {
  const kube = new FakeKube()
  const elector = (identity: string, clock: ManualClock) =>
    new Elector({
      kube,
      clock,
      elapsedMs: () => clock.now(),
      log: silentLog,
      namespace: 'bronze',
      name: 'bronze-operator',
      identity
    })
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

/** One that leads, and what becomes of that. */
async function leading() {
  const clock = new ManualClock(0)
  const { kube, elector } = given()
  const a = elector('a', clock)
  await a.elected(noStop())
  return { kube, clock, a, held: watching(a.hold(noStop())) }
}

test('the first one makes the lease and leads, with a time of six digits', async () => {
  const { elector, lease } = given()
  const clock = new ManualClock(Date.parse('2026-06-01T12:00:00.123Z'))
  const first = elector('a', clock)
  await first.elected(noStop())
  assert.equal(first.isLeader, true)
  assert.equal(lease().holderIdentity, 'a')
  assert.equal(lease().renewTime, '2026-06-01T12:00:00.123000Z')
})

test('the lease is owned by what the first one was told, from then on', async () => {
  const { kube, elector } = given()
  await elector('a', new ManualClock(0)).elected(noStop())
  const owner = { apiVersion: 'v1', kind: 'ServiceAccount', name: 'operator', uid: 'abc-1' }
  const options = { kube, log: silentLog, namespace: 'bronze', name: 'bronze-operator', identity: 'a', owner }
  const clock = new ManualClock(1000)
  await new Elector({ ...options, clock, elapsedMs: () => clock.now() }).elected(noStop())
  assert.deepEqual(kube.objects.get('Lease bronze/bronze-operator')?.metadata.ownerReferences, [owner])
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
  const { kube, clock, a, held } = await leading()
  kube.failure = new KubeError(0, 'no answer')
  await clock.advance(9000)
  assert.equal(held.value, 'pending')
  await clock.advance(5000)
  assert.equal(held.value, 'lost')
  assert.equal(a.isLeader, false)
})

test('a leader whose lease another has is lost at once', async () => {
  const { kube, clock, held } = await leading()
  const key = 'Lease bronze/bronze-operator'
  const old = kube.objects.get(key)!
  const metadata = { ...old.metadata, resourceVersion: 'b’s' }
  kube.objects.set(key, { ...old, metadata, spec: { holderIdentity: 'b' } } as never)
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

test('a renewal is one request', async () => {
  const { kube, elector } = given()
  const clock = new ManualClock(0)
  const a = elector('a', clock)
  await a.elected(noStop())
  void a.hold(noStop())
  kube.calls.length = 0
  await clock.advance(11_000)
  assert.deepEqual(new Set(kube.calls), new Set(['update Lease bronze/bronze-operator']))
  assert.equal(kube.calls.length, 5)
})

test('a renewal that took effect but whose answer was lost is found again', async () => {
  const { kube, clock, a, held } = await leading()
  kube.afterwards = new KubeError(0, 'the answer was lost')
  await clock.advance(2500)
  kube.afterwards = undefined
  await clock.advance(20_000)
  assert.equal(held.value, 'pending')
  assert.equal(a.isLeader, true)
})

test('a server that never answers costs the lease at its deadline, not later', async () => {
  const { kube, clock, held } = await leading()
  kube.isSilent = true
  await clock.advance(9999)
  assert.equal(held.value, 'pending')
  assert.equal(kube.calls.filter(call => call.startsWith('update')).length, 2)
  await clock.advance(1)
  assert.equal(held.value, 'lost')
})

test('one server’s silence does not cost the lease', async () => {
  const { kube, clock, held } = await leading()
  kube.isSilent = true
  await clock.advance(6000)
  kube.isSilent = false
  await clock.advance(20_000)
  assert.equal(held.value, 'pending')
})

test('a process that slept past its lease does not take itself for the leader', async () => {
  const { kube } = given()
  const clock = new ManualClock(0)
  let sleptMs = 0
  const options = { kube, clock, elapsedMs: () => clock.now() + sleptMs, log: silentLog, namespace: 'n', name: 'l' }
  const a = new Elector({ ...options, identity: 'a' })
  await a.elected(noStop())
  const held = watching(a.hold(noStop()))
  sleptMs = 15_000
  assert.equal(a.isLeader, false)
  await clock.advance(2500)
  assert.equal(held.value, 'lost')
  await a.release()
  assert.equal(kube.calls.at(-1), 'create Lease n/l')
})

test('what others wrote into the lease stays', async () => {
  const { kube, elector, lease } = given()
  const clock = new ManualClock(0)
  const a = elector('a', clock)
  const spec = { holderIdentity: '', strategy: 'OldestEmulationVersion' }
  await kube.create(LEASES, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: 'bronze', name: 'bronze-operator', labels: { a: 'b' } },
    spec
  } as never)
  await a.elected(noStop())
  assert.equal((lease() as object as { strategy: string }).strategy, 'OldestEmulationVersion')
  assert.deepEqual(kube.objects.get('Lease bronze/bronze-operator')?.metadata.labels, { a: 'b' })
})
