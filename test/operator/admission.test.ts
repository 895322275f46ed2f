import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEPLOYMENTS, type Kube, type KubeObject } from '../../operator/kube/kube.ts'
import type { FakeCluster } from '../fakes/cluster.ts'
import { aCluster, anOperator, put } from './life.ts'

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
  }
}

/** An API server whose admission makes something else of each Deployment. */
function admitting(cluster: FakeCluster, change: (object: Deployment) => KubeObject): Kube {
  return new Proxy<Kube>(cluster, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (name !== 'apply') return typeof method === 'function' ? (method.bind(target) as unknown) : method
      const apply: Kube['apply'] = (type, object, options) =>
        target.apply(type, object.kind === 'Deployment' ? change(object as Deployment) : object, options)
      return apply
    }
  })
}

const withPod = (object: Deployment, pod: object): KubeObject => {
  const { template } = object.spec
  const spec = { ...object.spec, template: { ...template, spec: { ...template.spec, ...pod } } }
  return { ...object, spec } as KubeObject
}

for (const [what, change] of [
  ['adds a pull secret', object => withPod(object, { imagePullSecrets: [{ name: 'ours' }, { name: 'registry' }] })],
  [
    'takes images from its own registry',
    object =>
      withPod(object, {
        containers: object.spec.template.spec.containers.map(one => ({ ...one, image: `mirror/${one.image}` }))
      })
  ]
] as const satisfies readonly (readonly [string, (object: Deployment) => KubeObject])[]) {
  test(`a webhook that ${what} is let have its way: nothing is applied again, told again or said to be under way`, async () => {
    const { cluster, clock } = await aCluster()
    const { stop } = anOperator(cluster, clock, { kube: admitting(cluster, change) })
    await put(cluster, { consumer: { imagePullSecrets: [{ name: 'ours' }] } })
    await clock.advance(120_000)
    const before = cluster.writes.filter(write => write === 'apply Deployment lake/shop-consumer').length
    await clock.advance(600_000)
    const after = cluster.writes.filter(write => write === 'apply Deployment lake/shop-consumer').length
    assert.equal(after, before)
    const [pipeline] = cluster.of('BronzePipeline')
    const { conditions = [] } =
      (pipeline as { status?: { conditions?: { type: string; status: string }[] } }).status ?? {}
    assert.equal(conditions.find(({ type }) => type === 'Reconciling')?.status, 'False')
    assert.deepEqual(
      cluster.of('Event').filter(event => (event as { reason?: string }).reason === 'Restarting'),
      []
    )
    // Who changes it later is still set right.
    const [live] = cluster.of('Deployment') as Deployment[]
    assert.ok(live)
    const metadata = { ...live.metadata, generation: (live.metadata.generation ?? 0) + 1 }
    await cluster.update(DEPLOYMENTS, { ...live, metadata, spec: { ...live.spec, replicas: 0 } } as KubeObject)
    await clock.advance(30_000)
    const [mended] = cluster.of('Deployment') as Deployment[]
    assert.equal(mended?.spec.replicas, 3)
    await stop()
  })
}
