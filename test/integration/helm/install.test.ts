import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, after, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { need } from '../../servers/need.ts'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { startOperator, succeed, until } from './operator-process.ts'
import { CHART as chart, manifests, type Manifest } from './render.ts'

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

interface Deployment extends Manifest {
  readonly spec: {
    readonly template: { readonly spec: { containers: [{ env: { name: string; value?: string }[] }] } }
  }
}

interface Definition {
  readonly metadata: object
  readonly spec: {
    readonly versions: readonly [
      {
        readonly schema: {
          readonly openAPIV3Schema: {
            readonly properties: { readonly spec: { readonly properties: Record<string, unknown> } }
          }
        }
      }
    ]
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
    const { code, stdout, stderr } = await kube.helm([
      'template',
      'one',
      chart,
      '--skip-tests',
      '--set',
      'watchNamespaces={a,b}'
    ])
    assert.equal(code, 0, stderr)
    const roles = manifests(stdout).filter(({ kind }) => kind === 'Role')
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
    // What bounds its memory is held by the golden files.
    const { NODE_OPTIONS, MALLOC_ARENA_MAX, MALLOC_TRIM_THRESHOLD_, ...told } = values
    assert.ok(NODE_OPTIONS !== undefined && MALLOC_ARENA_MAX !== undefined && MALLOC_TRIM_THRESHOLD_ !== undefined)
    assert.deepEqual(told, {
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

  test('from an older chart: the upgrade leaves the definition as it was, the operator that it starts renews it', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'bronze-chart-'))
    t.after(() => rm(folder, { recursive: true }))
    const oldChart = join(folder, 'bronze-operator')
    await cp(chart, oldChart, { recursive: true })
    await writeFile(join(oldChart, 'crds/bronzepipeline.yaml'), JSON.stringify(olderDefinition()))
    const isNew = async () => {
      const { stdout } = await succeed(kube.kubectl(['get', 'crd', CRD, '-o', 'json']))
      return 'suspend' in specOf(JSON.parse(stdout) as Definition)
    }
    await succeed(kube.kubectl(['delete', 'crd', CRD]))
    await succeed(kube.helm(['install', 'four', oldChart, '-n', 'bronze']))
    await succeed(kube.kubectl(['wait', '--for=condition=Established', `crd/${CRD}`, '--timeout=20s']))
    await succeed(kube.helm(['upgrade', 'four', chart, '-n', 'bronze']))
    assert.equal(await isNew(), false)
    const { stdout } = await succeed(kube.helm(['template', 'four', chart, '-n', 'bronze', '--skip-tests']))
    const operator = await startOperator(t, kube, stdout)
    await until('the definition is new', operator.log, isNew)
    await operator.stop()
    await succeed(kube.helm(['uninstall', 'four', '-n', 'bronze']))
    // Helm 4 applies: what lies there is the operator's, and another version of it stands in the way.
    const again = await kube.helm(['install', 'four', oldChart, '-n', 'bronze'])
    assert.match(again.stderr, /conflict with "bronze-operator"/)
    await succeed(kube.helm(['install', 'four', oldChart, '-n', 'bronze', '--skip-crds']))
    assert.equal(await isNew(), true)
    await succeed(kube.helm(['uninstall', 'four', '-n', 'bronze']))
  })
})

const specOf = ({ spec }: Definition) => spec.versions[0].schema.openAPIV3Schema.properties.spec.properties

/** Of before there was `spec.suspend`. */
function olderDefinition(): Definition {
  const text = readFileSync(`${definitions}/bronzepipeline.yaml`, 'utf8')
  const definition = structuredClone(parse(text, { merge: true }) as Definition)
  delete specOf(definition)['suspend']
  return definition
}

function deployment(text: string): Deployment {
  return manifests(text).find(({ kind }) => kind === 'Deployment') as Deployment
}
