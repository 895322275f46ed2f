import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { succeed, until } from './operator-process.ts'
import { CHART, manifests, render, SETS, type Manifest } from './render.ts'

const definition = fileURLToPath(new URL('../../../crds/bronzepipeline.yaml', import.meta.url))
const NAMESPACES = ['bronze', 'sales', 'web']

suite('an API server takes what the chart makes', need('kube', 'helm', 'packaging'), () => {
  let kube: KubeServer
  const kubectl = (args: readonly string[], input = '') => succeed(kube.kubectl(args, input))
  before(async () => {
    kube = await startKube()
    await kubectl(['apply', '--server-side', '-f', definition])
    for (const name of NAMESPACES) {
      await kubectl(['create', 'namespace', name])
      const levels = ['enforce', 'warn'].map(mode => `pod-security.kubernetes.io/${mode}=restricted`)
      await kubectl(['label', 'namespace', name, ...levels])
      await until(
        'the account is there',
        () => name,
        async () => {
          return (await kube.kubectl(['-n', name, 'get', 'serviceaccount', 'default'])).code === 0
        }
      )
    }
  })
  after(() => kube.stop())

  // Before there is a Prometheus operator.
  for (const [version, helm] of [
    ['Helm 4', 'helm'],
    ['Helm 3', 'helm3']
  ] as const) {
    test(`${version}: monitors come with the API for them, and an uninstall leaves nothing`, async () => {
      const args = ['-n', 'bronze', '--values', '-']
      const values = JSON.stringify(SETS.everything.values)
      const { stdout } = await succeed(kube[helm](['install', 'one', CHART, ...args], values))
      assert.match(stdout, /metrics.podMonitor.enabled made nothing/)
      await kubectl(
        ['apply', '-f', '-'],
        MONITORING.map(kind => JSON.stringify(monitoringDefinition(kind))).join('\n---\n')
      )
      const names = MONITORING.map(kind => `crd/${kind.toLowerCase()}s.monitoring.coreos.com`)
      await kubectl(['wait', '--for=condition=Established', ...names, '--timeout=20s'])
      await kubectl(['get', 'podmonitors', '-A'])
      const upgraded = await succeed(kube[helm](['upgrade', 'one', CHART, ...args], values))
      assert.doesNotMatch(upgraded.stdout, /made nothing/)
      const kinds = MONITORING.map(kind => `${kind.toLowerCase()}s`).join(',')
      assert.equal((await kubectl(['get', kinds, '-n', 'bronze', '-o', 'name'])).stdout.split('\n').length - 1, 3)
      await succeed(kube[helm](['uninstall', 'one', '-n', 'bronze', '--wait']))
      await until(
        'all is gone',
        () => 'see kubectl get all',
        async () => (await left()) === ''
      )
      await kubectl(['delete', ...names])
    })
  }

  async function left(): Promise<string> {
    const kinds =
      'all,configmaps,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings'
    return (await kubectl(['get', kinds, '-A', '-o', 'name', '-l', 'app.kubernetes.io/instance=one'])).stdout
  }

  for (const [name, set] of Object.entries(SETS)) {
    test(`values "${name}": every object, and every pod where only "restricted" ones may be`, async () => {
      await kubectl(
        ['apply', '-f', '-'],
        MONITORING.map(kind => JSON.stringify(monitoringDefinition(kind))).join('\n---\n')
      )
      const names = MONITORING.map(kind => `crd/${kind.toLowerCase()}s.monitoring.coreos.com`)
      await kubectl(['wait', '--for=condition=Established', ...names, '--timeout=20s'])
      const made = manifests(await render('Helm 4', set))
      const objects = made.filter(({ kind }) => kind !== 'Pod').map(manifest => JSON.stringify(manifest))
      const apply = ['apply', '--dry-run=server', '--validate=strict', '-f', '-']
      assert.equal((await kubectl(apply, objects.join('\n---\n'))).stderr, '')
      const pods = made.flatMap(manifest => podOf(manifest) ?? [])
      assert.equal(pods.length, 2)
      for (const pod of pods) assert.equal((await kubectl(apply, JSON.stringify(pod))).stderr, '')
      const open = { ...pods[0], spec: { ...(pods[0]?.spec as object), securityContext: {} } }
      assert.match((await kube.kubectl(apply, JSON.stringify(open))).stderr, /violates PodSecurity "restricted/)
    })
  }

  test('people who may view or edit a namespace may do so with its pipelines', async () => {
    await succeed(kube.helm(['install', 'roles', CHART, '-n', 'bronze']))
    for (const role of ['view', 'edit']) {
      await kubectl(['-n', 'sales', 'create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}er`])
    }
    const may = async (user: string, verb: string, what: string) => {
      const [resource = '', subresource = ''] = what.split('/')
      const question = ['auth', 'can-i', verb, resource, `--subresource=${subresource}`, '-n', 'sales', `--as=${user}`]
      return (await kube.kubectl(question)).stdout.trim()
    }
    await until(
      'roles are aggregated',
      () => 'view',
      async () => {
        return (
          (await may('viewer', 'get', 'bronzepipelines')) === 'yes' &&
          (await may('editer', 'create', 'bronzepipelines')) === 'yes'
        )
      }
    )
    for (const [answer, user, verb, what] of [
      // What `kubectl bronze status`, `logs` and `report` read.
      ...['bronzepipelines', 'bronzepipelines/status', 'deployments', 'pods', 'pods/log', 'configmaps', 'events'].map(
        what => ['yes', 'viewer', 'get', what] as const
      ),
      ['yes', 'viewer', 'watch', 'bronzepipelines'],
      ['yes', 'viewer', 'get', 'bronzepipelines/scale'],
      ['no', 'viewer', 'patch', 'bronzepipelines'],
      ['no', 'viewer', 'get', 'secrets'],
      ['yes', 'editer', 'patch', 'bronzepipelines'],
      ['yes', 'editer', 'delete', 'bronzepipelines'],
      ['yes', 'editer', 'update', 'bronzepipelines/scale'],
      ['no', 'editer', 'patch', 'bronzepipelines/status']
    ] as const) {
      assert.equal(await may(user, verb, what), answer, `${user} ${verb} ${what}`)
    }
    await succeed(kube.helm(['uninstall', 'roles', '-n', 'bronze']))
  })
})

const MONITORING = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule']

/** Of the Prometheus operator, as far as to be asked for. */
function monitoringDefinition(kind: string): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const plural = `${kind.toLowerCase()}s`
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema }]
    }
  }
}

/** The pod that a Deployment would make, or a pod itself; with an account that is there. */
function podOf(manifest: Manifest): Manifest | undefined {
  const { kind, metadata, spec } = manifest as Manifest & { spec?: { template?: { metadata: object; spec: object } } }
  if (kind !== 'Deployment' && kind !== 'Pod') return undefined
  const pod = kind === 'Pod' ? { metadata, spec } : spec?.template
  const { namespace = '', name } = metadata
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...pod?.metadata, name: `${name}-${kind.toLowerCase()}`, namespace },
    spec: { ...pod?.spec, serviceAccountName: 'default' }
  }
}
