import assert from 'node:assert/strict'
import { before, after, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { need } from '../../servers/need.ts'
import { startKube, type KubeServer } from '../../servers/kube.ts'

const chart = fileURLToPath(new URL('../../../helm/bronze-operator', import.meta.url))
const definitions = fileURLToPath(new URL('../../../crds', import.meta.url))
const CRD = 'bronzepipelines.bronze.dev'
const PIPELINE = JSON.stringify({
  apiVersion: 'bronze.dev/v1alpha1',
  kind: 'BronzePipeline',
  metadata: { name: 'kept', namespace: 'default' },
  spec: {
    source: { bootstrapServers: ['kafka:9092'] },
    topics: [{ name: 'trips', table: 'bronze.trips' }],
    sink: { delta: { location: 's3://lake/bronze' } }
  }
})

interface Resource {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: {
    readonly template: {
      readonly metadata: object
      readonly spec: { containers: [{ env: { name: string; value?: string }[] }] }
    }
  }
}

// A cluster of its own: the tests take the definition away.
suite('the chart', need('kube', 'helm'), () => {
  let kube: KubeServer
  before(async () => {
    kube = await startKube({ controllers: false })
  })
  after(async () => {
    await kube.stop()
  })

  test('renders without a cluster, and refuses values it does not know', async () => {
    const { code, stdout, stderr } = await kube.helm(['template', 'one', chart, '--set', 'watchNamespaces={a,b}'])
    assert.equal(code, 0, stderr)
    const roles = resources(stdout).filter(({ kind }) => kind === 'Role')
    assert.deepEqual(roles.map(({ metadata }) => String(metadata.namespace)).toSorted(), ['a', 'b', 'default'])
    assert.ok(!stdout.includes('kind: CustomResourceDefinition'))
    const refused = await kube.helm(['template', 'one', chart, '--set', 'watchNamespace=a'])
    assert.notEqual(refused.code, 0)
    assert.match(refused.stderr, /watchNamespace/)
  })

  test('passes the operator its environment', async () => {
    const settings = [
      'watchNamespaces={a,b}',
      'image.repository=registry.example/bronze',
      'image.tag=v9',
      'crds.upgrade=false'
    ]
    const { stdout } = await kube.helm(['template', 'one', chart, ...settings.flatMap(setting => ['--set', setting])])
    const { env } = deployment(stdout).spec.template.spec.containers[0]
    const values = Object.fromEntries(env.map(({ name, value }) => [name, value]))
    assert.deepEqual(values, {
      POD_NAME: undefined,
      POD_NAMESPACE: undefined,
      WATCH_NAMESPACES: 'a,b',
      CONSUMER_IMAGE: 'registry.example/bronze:v9',
      UPGRADE_CRDS: 'false',
      LOG_LEVEL: 'info'
    })
  })

  test('installs into a bare cluster, with the definition and just the permissions that are needed', async () => {
    await succeed(kube.helm(['install', 'one', chart, '-n', 'bronze', '--create-namespace']))
    await succeed(kube.kubectl(['wait', '--for=condition=Established', `crd/${CRD}`, '--timeout=20s']))
    const account = 'system:serviceaccount:bronze:one-bronze-operator'
    for (const [answer, ...question] of [
      ['yes', 'list', 'bronzepipelines.bronze.dev', '-A'],
      ['yes', 'patch', 'bronzepipelines.bronze.dev/status', '-n', 'anywhere', '--subresource=status'],
      ['yes', 'create', 'deployments.apps', '-n', 'anywhere'],
      ['yes', 'patch', `customresourcedefinitions.apiextensions.k8s.io/${CRD}`],
      ['yes', 'create', 'leases.coordination.k8s.io', '-n', 'bronze'],
      ['no', 'create', 'leases.coordination.k8s.io', '-n', 'anywhere'],
      ['no', 'patch', 'customresourcedefinitions.apiextensions.k8s.io/other.example'],
      ['no', 'delete', 'bronzepipelines.bronze.dev', '-n', 'anywhere'],
      ['yes', 'get', 'secrets', '-n', 'anywhere'],
      ['no', 'list', 'secrets', '-n', 'anywhere'],
      ['no', 'create', 'secrets', '-n', 'anywhere'],
      ['no', 'create', 'pods', '-n', 'anywhere'],
      ['no', 'create', 'rolebindings.rbac.authorization.k8s.io', '-n', 'anywhere']
    ] as const) {
      const { stdout, stderr } = await kube.kubectl(['auth', 'can-i', ...question, `--as=${account}`])
      assert.equal(stdout.trim(), answer, `${question.join(' ')}: ${stderr}`)
    }
  })

  test("the operator's pod is admitted where PodSecurity is restricted", async () => {
    await succeed(kube.kubectl(['label', 'namespace', 'bronze', 'pod-security.kubernetes.io/enforce=restricted']))
    const { stdout } = await succeed(kube.helm(['template', 'one', chart, '-n', 'bronze']))
    const { metadata, spec } = deployment(stdout).spec.template
    const pod = (spec: object) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: 'operator', namespace: 'bronze' },
        spec
      })
    await succeed(kube.kubectl(['create', '--dry-run=server', '-f', '-'], pod(spec)))
    const refused = await kube.kubectl(['create', '--dry-run=server', '-f', '-'], pod({ ...spec, securityContext: {} }))
    assert.match(refused.stderr, /violates PodSecurity "restricted/)
  })

  test('after an uninstall the pipelines are still there, and a release of another name takes over', async () => {
    await succeed(kube.kubectl(['apply', '-f', '-'], PIPELINE))
    await succeed(kube.helm(['uninstall', 'one', '-n', 'bronze']))
    await succeed(kube.kubectl(['get', 'bronzepipeline', 'kept']))
    await succeed(kube.helm(['install', 'two', chart, '-n', 'other', '--create-namespace']))
    await succeed(kube.kubectl(['get', 'bronzepipeline', 'kept']))
    await succeed(
      kube.kubectl(['-n', 'other', 'get', 'deployment/two-bronze-operator', 'service/two-bronze-operator-metrics'])
    )
    await succeed(kube.helm(['uninstall', 'two', '-n', 'other']))
  })

  test('installs after kubectl apply -f crds/, and the operator may bring the definition up to date', async () => {
    await succeed(kube.kubectl(['delete', 'crd', CRD, '--wait=false']))
    await kube.kubectl(['wait', '--for=delete', `crd/${CRD}`, '--timeout=20s'])
    await succeed(kube.kubectl(['apply', '-f', definitions]))
    await succeed(kube.helm(['install', 'three', chart, '-n', 'bronze', '--set', 'watchNamespaces={default}']))
    const account = 'system:serviceaccount:bronze:three-bronze-operator'
    const upgrade = [
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=bronze-operator',
      '-f',
      definitions
    ]
    await succeed(kube.kubectl([...upgrade, `--as=${account}`]))
    for (const [namespace, answer] of [
      ['default', 'yes'],
      ['bronze', 'no']
    ] as const) {
      const { stdout } = await kube.kubectl(['auth', 'can-i', 'get', 'secrets', '-n', namespace, `--as=${account}`])
      assert.equal(stdout.trim(), answer, namespace)
    }
    await succeed(kube.helm(['upgrade', 'three', chart, '-n', 'bronze', '--set', 'crds.upgrade=false']))
    const refused = await kube.kubectl([...upgrade, `--as=${account}`])
    assert.match(refused.stderr, /cannot patch resource "customresourcedefinitions"/)
    await succeed(kube.helm(['uninstall', 'three', '-n', 'bronze']))
  })
})

async function succeed(running: ReturnType<KubeServer['kubectl']>) {
  const finished = await running
  assert.equal(finished.code, 0, finished.stderr)
  return finished
}

function resources(text: string): readonly Resource[] {
  return parseAllDocuments(text).map(document => document.toJS() as Resource)
}

function deployment(text: string): Resource {
  return resources(text).find(({ kind }) => kind === 'Deployment')!
}
