import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../operator/kube/kube.ts'
import { PIPELINES_OF } from '../../fakes/kube-server.ts'
import { lake } from './world.ts'

const PATH = `${PIPELINES_OF('lake')}/shop`

interface Pipeline extends KubeObject {
  readonly spec: { readonly suspend?: boolean }
}

test('suspend sets that one field of that one object, and resume takes it back', async context => {
  const { run, kube } = await lake(context)
  const suspended = () => (kube.objects.get(PATH) as Pipeline | undefined)?.spec.suspend
  assert.deepEqual(await run('suspend', 'shop'), { code: 0, out: 'lake/shop: suspended\n', err: '' })
  assert.equal(suspended(), true)
  assert.deepEqual(kube.bodies, [{ spec: { suspend: true }, metadata: { uid: 'uid-1' } }])
  assert.match(kube.requests.find(request => request.startsWith('PATCH')) ?? '', /fieldManager=kubectl-bronze/)
  assert.match((await run('suspend', 'shop')).out, /^lake\/shop: is suspended already\n$/)
  assert.deepEqual(await run('resume', 'shop'), { code: 0, out: 'lake/shop: resumed\n', err: '' })
  assert.equal(suspended(), false)
  assert.equal(kube.bodies.length, 2)
})

test('whoever keeps the manifest elsewhere is named, and whether the change will last', async context => {
  const { run, kube } = await lake(context)
  const shop = kube.objects.get(PATH)
  const managed = { manager: 'argocd-controller', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:suspend': {} } } }
  const metadata = { ...shop?.metadata, managedFields: [managed] }
  kube.put(PIPELINES_OF('lake'), { ...shop, metadata })
  const { code, err } = await run('suspend', 'shop')
  assert.equal(code, 0)
  assert.match(err, /lake\/shop: Argo CD keeps this pipeline, with spec\.suspend in its manifest: it will set it back/)
  const labels = { 'helm.toolkit.fluxcd.io/name': 'x' }
  kube.put(PIPELINES_OF('lake'), { ...shop, metadata: { ...shop?.metadata, labels } })
  assert.match((await run('suspend', 'shop')).err, /Flux keeps this pipeline: spec\.suspend stays .* only as long as/)
})

test('a viewer is refused with the verb, the resource and the role that has it, and nothing is changed', async context => {
  const { run, kube } = await lake(context)
  kube.forbidden.add('patch bronzepipelines')
  const { code, err } = await run('suspend', 'shop')
  assert.equal(code, 78)
  assert.match(err, /^bronze: Forbidden: .*cannot patch .*The ClusterRole edit has "patch bronzepipelines"/)
  assert.equal((kube.objects.get(PATH) as Pipeline | undefined)?.spec.suspend, false)
})

test('--wait ends when the operator has seen it and no pod is left', async context => {
  const { bronze, kube } = await lake(context)
  const { child, ended } = bronze(['suspend', 'shop', '--wait'])
  const { promise: waiting, resolve } = Promise.withResolvers<void>()
  child.stdout.on('data', text => {
    if (String(text).includes('waits for the operator')) resolve()
  })
  await waiting
  const shop = kube.objects.get(PATH)
  const condition = { type: 'Ready', status: 'False', reason: 'Suspended', message: '', lastTransitionTime: '' }
  const status = { observedGeneration: shop?.metadata.generation, conditions: [condition], replicas: 0 }
  for (const key of [...kube.objects.keys()].filter(key => key.includes('/pods/'))) kube.objects.delete(key)
  kube.put(PIPELINES_OF('lake'), { ...shop, status })
  assert.deepEqual(await ended, {
    code: 0,
    out: 'lake/shop: suspended\nlake/shop: waits for the operator\nlake/shop: drained, no consumer is left\n',
    err: ''
  })
})

test('--wait gives up after its time, and at once on what waits for a person', async context => {
  const { run, kube } = await lake(context)
  const late = await run('suspend', 'shop', '--wait', '--timeout', '10ms')
  assert.deepEqual([late.code, late.out.endsWith('the time is over\n')], [1, true])
  const shop = kube.objects.get(PATH) as (Pipeline & { status: object }) | undefined
  const status = { ...shop?.status, observedGeneration: 99 }
  kube.put(PIPELINES_OF('lake'), { ...shop, status })
  const stuck = await run('resume', 'shop', '--wait')
  assert.equal(stuck.code, 1)
  assert.match(stuck.out, /lake\/shop: OutOfMemory: a consumer was ended/)
})
