import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../../crds/settle.ts'
import { consumerName } from '../../../operator/objects/names.ts'
import { secretsOf } from '../../../operator/objects/secret-names.ts'
import { aPipeline, objectsOf } from '../given.ts'

interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly serviceAccountName: string
  readonly securityContext: { readonly runAsNonRoot: boolean; readonly seccompProfile: { readonly type: string } }
  readonly containers: readonly [
    {
      readonly env: readonly { readonly name: string; readonly value?: string }[]
      readonly securityContext: {
        readonly allowPrivilegeEscalation: boolean
        readonly readOnlyRootFilesystem: boolean
        readonly capabilities: unknown
      }
      readonly volumeMounts: readonly { readonly mountPath: string; readonly subPath?: string }[]
    }
  ]
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[]
}

const made = (spec: object = {}) => {
  const pipeline = aPipeline(spec)
  const { deployment, budget } = objectsOf(pipeline)
  const object = deployment as unknown as {
    spec: { strategy: { rollingUpdate: object }; template: { metadata: { labels: object }; spec: PodSpec } }
  }
  return {
    settled: settle(pipeline),
    budget,
    strategy: object.spec.strategy.rollingUpdate,
    template: object.spec.template
  }
}

test('pods meet the restricted Pod Security Standard, write to no disk and have no token of the cluster', () => {
  const { spec } = made().template
  assert.equal(spec.containers[0].securityContext.readOnlyRootFilesystem, true)
  assert.equal(spec.automountServiceAccountToken, false)
  assert.equal(spec.securityContext.runAsNonRoot, true)
  assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault')
  assert.equal(spec.containers[0].securityContext.allowPrivilegeEscalation, false)
  assert.deepEqual(spec.containers[0].securityContext.capabilities, { drop: ['ALL'] })
})

test('every Secret that the pipeline names is mounted under its own name', () => {
  const security = {
    protocol: 'SASL_SSL',
    mechanism: 'PLAIN',
    credentialsSecretRef: { name: 'user' },
    caSecretRef: { name: 'ca' }
  }
  const { template, settled } = made({ source: { bootstrapServers: ['k:9092'], security } })
  assert.deepEqual(secretsOf(settled), ['ca', 'minio', 'user'])
  assert.deepEqual(
    template.spec.volumes.flatMap(({ secret }) => secret?.secretName ?? []),
    ['ca', 'minio', 'user']
  )
  assert.deepEqual(
    template.spec.containers[0].volumeMounts.map(({ mountPath }) => mountPath),
    ['/etc/bronze/pipeline.yaml', '/etc/bronze/secrets/ca', '/etc/bronze/secrets/minio', '/etc/bronze/secrets/user']
  )
})

test('Secrets are mounted as folders, which the kubelet keeps up to date, and never file by file', () => {
  const { containers } = made().template.spec
  const mounts = containers[0].volumeMounts.filter(({ mountPath }) => mountPath.startsWith('/etc/bronze/secrets/'))
  assert.equal(mounts.length, 1)
  assert.ok(mounts.every(({ subPath }) => subPath === undefined))
})

test('Secrets of the schema registry, the catalog and its store are mounted too', () => {
  const refs = (name: string) => ({ credentialsSecretRef: { name }, caSecretRef: { name: 'ca' } })
  const { template, settled } = made({
    source: { bootstrapServers: ['k:9092'], schemaRegistry: { url: 'http://registry:8081', ...refs('registry') } },
    sink: { iceberg: { catalog: { uri: 'http://catalog:8181', ...refs('catalog') }, s3: refs('store') } }
  })
  assert.deepEqual(secretsOf(settled), ['ca', 'catalog', 'registry', 'store'])
  assert.deepEqual(
    template.spec.volumes.flatMap(({ secret }) => secret?.secretName ?? []),
    ['ca', 'catalog', 'registry', 'store']
  )
})

const snowflake = (more: object = {}) => ({
  snowflake: { account: 'acme-analytics', database: 'COMMERCE', credentialsSecretRef: { name: 'key' }, ...more }
})

test('Secrets of Snowflake, its proxy and a store of raw objects are mounted too', () => {
  const secrets = (sink: object) => {
    const { template, settled } = made({ sink })
    const mounted = template.spec.volumes.flatMap(({ secret }) => secret?.secretName ?? [])
    assert.deepEqual(mounted, secretsOf(settled))
    return mounted
  }
  const proxy = { host: 'proxy', port: 3128, credentialsSecretRef: { name: 'proxy-user' } }
  assert.deepEqual(secrets(snowflake({ proxy })), ['key', 'proxy-user'])
  const identity = {
    credentialsSecretRef: null,
    authentication: 'WorkloadIdentity',
    workloadIdentity: { provider: 'Aws' }
  }
  assert.deepEqual(secrets(snowflake(identity)), [])
  const s3 = { credentialsSecretRef: { name: 'store' }, caSecretRef: { name: 'ca' } }
  assert.deepEqual(secrets({ s3: { location: 's3://landing', s3 } }), ['ca', 'store'])
})

test('consumers of Snowflake alone have a folder to write to, no larger than their memory', () => {
  const folders = (spec: object) => {
    const { containers, volumes } = made(spec).template.spec
    const mounts = containers[0].volumeMounts.filter(({ mountPath }) => mountPath === '/tmp')
    return [mounts, volumes.filter(({ name }) => name === 'tmp')]
  }
  const tmp = (sizeLimit: string) => [[{ name: 'tmp', mountPath: '/tmp' }], [{ name: 'tmp', emptyDir: { sizeLimit } }]]
  assert.deepEqual(folders({ sink: snowflake() }), tmp('384Mi'))
  const resources = { limits: { memory: '1Gi' } }
  assert.deepEqual(folders({ sink: snowflake(), consumer: { resources } }), tmp('1Gi'))
  for (const sink of [undefined, { s3: { location: 's3://landing' } }]) {
    assert.deepEqual(folders(sink === undefined ? {} : { sink }), [[], []])
  }
})

test('an identity of the cloud changes nothing of a pod but its account: it has no token of the cluster', () => {
  const identity = { authentication: 'WorkloadIdentity', workloadIdentity: { provider: 'Aws' } }
  const sink = snowflake({ credentialsSecretRef: null, ...identity })
  const { spec } = made({ sink, consumer: { serviceAccountName: 'aws-writer' } }).template
  assert.equal(spec.serviceAccountName, 'aws-writer')
  assert.equal(spec.automountServiceAccountToken, false)
  assert.deepEqual(
    spec.volumes.map(({ name }) => name),
    ['config', 'tmp']
  )
})

test('the heap is bound to half of the memory limit', () => {
  const heap = (spec: object) =>
    made(spec).template.spec.containers[0].env.find(({ name }) => name === 'NODE_OPTIONS')?.value
  assert.equal(heap({}), '--max-old-space-size=128 --max-semi-space-size=2')
  assert.equal(
    heap({ consumer: { resources: { limits: { memory: '1Gi' } } } }),
    '--max-old-space-size=512 --max-semi-space-size=2'
  )
})

test('the default rollout is a full stop; one by one is a choice', () => {
  assert.deepEqual(made().strategy, { maxSurge: 0, maxUnavailable: '100%' })
  assert.deepEqual(made({ consumer: { rollout: 'Rolling' } }).strategy, { maxSurge: 0, maxUnavailable: 1 })
})

test('labels of the user stand on the pods beside those that select them', () => {
  const { labels } = made({ consumer: { labels: { team: 'x' } } }).template.metadata
  assert.deepEqual(labels, {
    team: 'x',
    'bronze.dev/pipeline': 'shop',
    'app.kubernetes.io/name': 'bronze-consumer',
    'app.kubernetes.io/managed-by': 'bronze-operator'
  })
})

test('an own service account is used and none is made', () => {
  const { template } = made({ consumer: { serviceAccountName: 'mine' } })
  assert.equal(template.spec.serviceAccountName, 'mine')
  assert.equal(made().template.spec.serviceAccountName, 'shop-consumer')
})

test('a drain takes one consumer at a time, and one that cannot start at any time', () => {
  const { spec } = made().budget as unknown as { spec: object }
  assert.deepEqual(spec, {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: { 'app.kubernetes.io/name': 'bronze-consumer', 'bronze.dev/pipeline': 'shop' } }
  })
})

test('names fit a label, and two long ones stay different', () => {
  assert.equal(consumerName('taxi'), 'taxi-consumer')
  const [a, b] = [consumerName(`${'x'.repeat(60)}a`), consumerName(`${'x'.repeat(60)}b`)]
  assert.ok(a.length <= 63 && b.length <= 63)
  assert.notEqual(a, b)
})
