import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FencedKube } from '../../../operator/kube/fenced-kube.ts'
import { CONFIG_MAPS, KubeError, type KubeObject } from '../../../operator/kube/kube.ts'
import { FakeKube } from '../../fakes/kube.ts'

test('who does not lead any more reads, and writes nothing', async () => {
  let leads = true
  const inner = new FakeKube()
  const kube = new FencedKube(inner, () => leads)
  const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'n', name: 'a' } }
  const made = await kube.create(CONFIG_MAPS, object)
  leads = false
  const writes: (() => Promise<unknown>)[] = [
    () => kube.apply(CONFIG_MAPS, object),
    () => kube.applyStatus(CONFIG_MAPS, object),
    () => kube.create(CONFIG_MAPS, { ...object, metadata: { namespace: 'n', name: 'b' } }),
    () => kube.update(CONFIG_MAPS, made),
    () => kube.mergePatch(CONFIG_MAPS, { namespace: 'n', name: 'a' }, {}),
    () => kube.delete(CONFIG_MAPS, made)
  ]
  for (const write of writes) await assert.rejects(write, error => error instanceof KubeError && error.status === 0)
  assert.deepEqual(await kube.get(CONFIG_MAPS, 'n', 'a'), made)
  assert.deepEqual(inner.calls, ['create ConfigMap n/a', 'get ConfigMap n/a'])
})
