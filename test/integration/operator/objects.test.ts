import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BronzePipeline } from '../../../crds/pipeline.ts'
import { parsePipeline } from '../../../crds/validate.ts'
import type { KubeObject } from '../../../operator/kube/kube.ts'
import { corpus } from '../../crds/corpus.ts'
import { sharedKube } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { objectsOf } from '../../operator/given.ts'
import { kubeApi, type KubeApi } from '../crds/kube-api.ts'

const NAMESPACE = 'operator-objects'
const STRICT = 'dryRun=All&fieldValidation=Strict&fieldManager=test'
const FOLDERS: Readonly<Record<string, string>> = {
  ConfigMap: 'api/v1',
  ServiceAccount: 'api/v1',
  Pod: 'api/v1',
  PodDisruptionBudget: 'apis/policy/v1',
  Deployment: 'apis/apps/v1'
}

test(
  'an API server takes the objects, and under the restricted standard the pods, of every good manifest',
  need('kube'),
  async t => {
    const api = kubeApi(await sharedKube())
    t.after(() => {
      api.close()
    })
    await api.call('POST', '/api/v1/namespaces', {
      metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }
    })
    const refused: string[] = []
    for (const { name, documents } of corpus().filter(({ isGood }) => isGood)) {
      const parsed = parsePipeline(documents.at(-1))
      assert.ok(parsed.ok, name)
      for (const object of allOf(parsed.pipeline)) {
        const { status, body } = await create(api, object)
        if (status !== 201) refused.push(`${name}: ${object.kind}: ${String(body['message'])}`)
      }
    }
    assert.deepEqual(refused, [])
  }
)

function allOf(pipeline: BronzePipeline): readonly KubeObject[] {
  const { name } = pipeline.metadata
  const owned = { ...pipeline, metadata: { name, namespace: NAMESPACE, uid: '6f1b6bc4-0000-4000-8000-000000000000' } }
  const { account, config, budget, deployment } = objectsOf(owned, 'bronze:test')
  return [config, account, budget, deployment, podOf(deployment)]
}

/** What the Deployment's controller would make: the standard of a namespace is asked of pods alone. */
function podOf(made: KubeObject): KubeObject {
  const { spec } = made as unknown as { spec: { template: { metadata: object; spec: object } } }
  const { template } = spec
  // There is no account of that name; the default one is there in time, or not at all.
  const pod = { ...template.spec, serviceAccountName: 'default', priorityClassName: undefined }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, name: 'pod', namespace: NAMESPACE },
    spec: pod
  } as KubeObject
}

function create(api: KubeApi, object: KubeObject) {
  const plural = `${object.kind.toLowerCase()}s`
  return api.call('POST', `/${FOLDERS[object.kind]}/namespaces/${NAMESPACE}/${plural}?${STRICT}`, object)
}
