import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SECRETS } from '../../operator/kube/kube.ts'
import { decideByLag } from '../../operator/scaling/by-lag.ts'
import { writeAfterMs } from '../../operator/status/status.ts'
import { NOW } from './given.ts'
import { aCluster, anOperator, put } from './life.ts'
import { aView, MINUTE, someRates } from './scaling/given.ts'

const HOUR_MS = 60 * MINUTE

test('after the clock was set back an hour, what waits is still done in time', async () => {
  const { cluster, clock } = await aCluster()
  let aheadMs = HOUR_MS
  const wall = {
    now: () => clock.now() + aheadMs,
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
    random: () => clock.random()
  }
  const { stop } = anOperator(cluster, clock, { wall })
  await put(cluster, { sink: { delta: { location: 's3://lake/w', s3: { credentialsSecretRef: { name: 'later' } } } } })
  await clock.advance(20_000)
  assert.equal(cluster.of('Deployment').length, 0)
  aheadMs = 0
  await clock.advance(1000)
  await cluster.create(SECRETS, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'lake', name: 'later' }
  })
  await clock.advance(75_000)
  assert.equal(cluster.of('Deployment').length, 1)
  await stop()
})

test('figures are written again although the last time lies ahead', () => {
  const before = { summary: { topics: '1', sink: 'delta', pods: '1/1', lag: '1', behind: '1s', deadLetters: '0' } }
  const after = { summary: { ...before.summary, lag: '2k' } }
  assert.equal(writeAfterMs(before, after, NOW + HOUR_MS, NOW), 0)
})

test('consumers by lag become more although the last change lies ahead', () => {
  const overloaded = { rates: someRates(12, { arrival: 6000, drain: 2000, lag: 1e7 }) }
  const { memory } = aView()
  const first = decideByLag(aView({ ...overloaded, memory: { ...memory, lastChangeMs: NOW + HOUR_MS } }), NOW)
  const later = decideByLag(aView({ ...overloaded, memory: first.memory }), NOW + 2 * MINUTE)
  assert.ok((later.replicas ?? 0) > 2, JSON.stringify(later))
})
