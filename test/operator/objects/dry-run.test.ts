import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dryRun } from '../../../operator/objects/dry-run.ts'
import { CONFIG_MAPS, DEPLOYMENTS, KubeError, type Kube, type KubeObject } from '../../../operator/kube/kube.ts'

const config = (name: string, data: object): KubeObject & { readonly data: object } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'lake', name },
  data
})

/** What an API server with these objects answers; it fails the test when something would be written. */
function aKube(there: readonly KubeObject[], refusal?: KubeError): Kube {
  const kube = {
    get: (_: unknown, __: unknown, name: string) =>
      Promise.resolve(there.find(({ metadata }) => metadata.name === name)),
    apply: (_: unknown, object: KubeObject, options?: { dryRun?: boolean }) => {
      assert.equal(options?.dryRun, true)
      return refusal === undefined ? Promise.resolve(object) : Promise.reject(refusal)
    }
  }
  return kube as unknown as Kube
}

const apply = (object: KubeObject) => ({ do: 'apply', type: CONFIG_MAPS, object }) as const

test('what is new, what changes and what goes is told, and what stays is not', async () => {
  const kube = aKube([config('old', { a: '1' }), config('same', { a: '1' }), config('changed', { a: '1' })])
  const changes = await dryRun(kube, [
    apply(config('new', { a: '1' })),
    apply(config('same', { a: '1' })),
    apply(config('changed', { a: '2' })),
    { do: 'delete', type: CONFIG_MAPS, object: config('old', {}) },
    { do: 'delete', type: CONFIG_MAPS, object: config('gone', {}) }
  ])
  assert.deepEqual(
    changes.map(({ do: verb, kind, name }) => `${verb} ${kind} ${name}`),
    ['create ConfigMap new', 'change ConfigMap changed', 'delete ConfigMap old']
  )
  assert.ok(changes[1]!.diff.includes('+   a: "2"'))
})

test('what the API server would refuse is told with its words', async () => {
  const refusal = new KubeError(403, 'exceeded quota')
  const [change] = await dryRun(aKube([], refusal), [{ ...apply(config('new', {})), type: DEPLOYMENTS }])
  assert.deepEqual(change, { do: 'create', kind: 'Deployment', name: 'new', diff: [], refusal: 'exceeded quota' })
})

test('that there is no answer is no plan', async () => {
  await assert.rejects(dryRun(aKube([], new KubeError(0, 'no answer')), [apply(config('new', {}))]), KubeError)
})
