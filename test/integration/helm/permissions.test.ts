import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { startBroker, type EmbeddedBroker } from '../../../cli/demo/broker/broker.ts'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'
import { auditedUses, grantedUses, AUDIT_POLICY, type AuditEvent } from './audit.ts'
import { startOperator, succeed, until, type OperatorProcess } from './operator-process.ts'
import { CHART, manifests } from './render.ts'

const CRD = 'bronzepipelines.bronze.dev'
/** Asked by admission alone, which leaves no trace in the audit log; there is a test for it below. */
const BY_ADMISSION = 'update bronze.dev/bronzepipelines/finalizers'

suite('the operator works with what the chart allows, and needs all of it', need('kube', 'helm'), () => {
  let kube: KubeServer
  let broker: EmbeddedBroker
  let folder: string
  const auditLog = () => join(folder, 'audit.log')
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bronze-audit-'))
    await writeFile(join(folder, 'policy.yaml'), AUDIT_POLICY)
    kube = await startKube({
      flags: {
        'audit-policy-file': join(folder, 'policy.yaml'),
        'audit-log-path': auditLog(),
        // Owners may block their deletion only if who says so may change their finalizers.
        'enable-admission-plugins': 'OwnerReferencesPermissionEnforcement'
      }
    })
    broker = await startBroker({ users: { bronze: 'secret' } })
    broker.createTopic('trips', { partitions: 3 })
  })
  after(async () => {
    await broker.stop()
    await kube.stop()
    await rm(folder, { recursive: true })
  })

  for (const [release, namespace, settings] of [
    ['everywhere', 'team', []],
    ['alone', 'other-team', ['--set', 'watchNamespaces={other-team}', '--set', 'crds.upgrade=false']]
  ] as const) {
    test(`release ${release}: a pipeline's whole life, without a refusal, and each permission is used`, async t => {
      const home = `bronze-${release}`
      await succeed(kube.kubectl(['create', 'namespace', namespace]))
      await succeed(kube.helm(['install', release, CHART, '-n', home, '--create-namespace', ...settings]))
      await succeed(kube.kubectl(['wait', '--for=condition=Established', `crd/${CRD}`, '--timeout=20s']))
      const { stdout } = await succeed(kube.helm(['template', release, CHART, '-n', home, '--skip-tests', ...settings]))
      const operator = await startOperator(t, kube, stdout, { aheadMs: 600_000 })
      await live(kube, namespace, broker.bootstrap, operator)
      await operator.stop()
      const user = `system:serviceaccount:${home}:${release}-bronze-operator`
      const lines = (await readFile(auditLog(), 'utf8')).split('\n').filter(line => line.includes(user))
      const events = lines.map(line => JSON.parse(line) as AuditEvent).filter(event => event.user.username === user)
      assert.deepEqual(
        events.filter(({ responseStatus }) => [401, 403].includes(responseStatus?.code ?? 0)),
        []
      )
      const granted = grantedUses(manifests(stdout)).filter(use => use !== BY_ADMISSION)
      assert.deepEqual(auditedUses(events), granted)
      await succeed(kube.helm(['uninstall', release, '-n', home]))
    })
  }

  test('without the permission on finalizers such a cluster lets nobody make what a pipeline owns', async () => {
    const user = '--as=system:serviceaccount:default:maker'
    const role = async (...rules: string[]) => {
      const args = ['create', 'role', 'maker', ...rules, '--dry-run=client', '-o', 'yaml']
      await succeed(kube.kubectl(['apply', '-f', '-'], (await succeed(kube.kubectl(args))).stdout))
    }
    await succeed(kube.kubectl(['create', 'rolebinding', 'maker', '--role=maker', '--serviceaccount=default:maker']))
    const reference = { apiVersion: 'bronze.dev/v1alpha1', kind: 'BronzePipeline', name: 'taxi', uid: 'x' }
    const ownerReferences = [{ ...reference, controller: true, blockOwnerDeletion: true }]
    const owned = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned', ownerReferences } }
    const make = () =>
      kube.kubectl(['create', '--dry-run=server', '--validate=false', user, '-f', '-'], JSON.stringify(owned))
    const may = ['--verb=create', '--resource=configmaps']
    await role(...may)
    assert.match((await make()).stderr, /cannot set blockOwnerDeletion/)
    const patch = {
      rules: [
        { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
        { apiGroups: ['bronze.dev'], resources: ['bronzepipelines/finalizers'], verbs: ['update'] }
      ]
    }
    await succeed(kube.kubectl(['patch', 'role', 'maker', '--type=merge', '-p', JSON.stringify(patch)]))
    await until(
      'the permission works',
      () => 'create',
      async () => (await make()).code === 0
    )
  })
})

/** From kubectl apply to kubectl delete; pods are made by the cluster's controllers and declared ready here. */
async function live(
  kube: KubeServer,
  namespace: string,
  bootstrap: string,
  { log, letAnHourPass }: OperatorProcess
): Promise<void> {
  const kubectl = async (...args: string[]) => (await kube.kubectl(['-n', namespace, ...args])).stdout
  const get = (what: string, path: string) => kubectl('get', what, '-o', `jsonpath=${path}`)
  const change = (spec: object) => kubectl('patch', 'bp', 'taxi', '--type=merge', '-p', JSON.stringify({ spec }))
  const ready = async () => {
    const names = (await get('pods', '{.items[*].metadata.name}')).split(' ').filter(name => name !== '')
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }]
    const patch = JSON.stringify({ status: { phase: 'Running', conditions } })
    for (const name of names) await kubectl('patch', 'pod', name, '--subresource=status', '--type=merge', '-p', patch)
    return names.length
  }
  const untilReady = (count: number) =>
    until(`${count} consumers are ready`, log, async () => {
      await ready()
      return (await get('deploy/taxi-consumer', '{.status.readyReplicas}')) === String(count)
    })
  const untilGone = (what: string, name: string) =>
    until(`${name} is gone`, log, async () => !(await get(what, '{.items[*].metadata.name}')).split(' ').includes(name))
  const configOf = () =>
    get('deploy/taxi-consumer', '{.spec.template.spec.volumes[?(@.name=="config")].configMap.name}')

  await succeed(kube.kubectl(['-n', namespace, 'apply', '-f', '-'], pipelineOf(bootstrap)))
  await until('there are consumers', log, async () => (await get('deployments', '{.items[*].spec.replicas}')) === '3')
  for (const kind of ['configmaps', 'serviceaccounts', 'poddisruptionbudgets']) {
    assert.match(await get(kind, '{.items[*].metadata.name}'), /taxi/, kind)
  }
  await until('something was told', log, async () => (await get('events', '{.items[*].reason}')) !== '')
  await untilReady(3)
  const configs = new Set<string>()
  // Enough revisions for the oldest to be of no use to anybody.
  for (const seconds of [20, 21, 22]) {
    configs.add(await configOf())
    await change({ batch: { triggerInterval: `${seconds}s` } })
    await until('consumers are replaced', log, async () => !configs.has(await configOf()))
    await untilReady(3)
  }
  await untilGone('configmaps', [...configs][0] ?? '')
  await change({ consumer: { serviceAccountName: 'default' } })
  await until(
    'another account',
    log,
    async () => (await get('deploy/taxi-consumer', '{.spec.template.spec.serviceAccountName}')) === 'default'
  )
  await untilReady(3)
  await untilGone('serviceaccounts', 'taxi-consumer')
  await change({ mode: 'Plan', batch: { triggerInterval: '30s' } })
  await until('it is planned', log, async () => (await get('bp/taxi', '{.status.plan.changes[*].kind}')) !== '')
  await change({ mode: 'Apply' })
  await untilReady(3)
  const untilReplicas = (count: string) =>
    until(`${count} consumers`, log, async () => (await get('deployments', '{.items[*].spec.replicas}')) === count)
  for (const _time of [1, 2]) {
    await change({ suspend: true })
    await untilReplicas('0')
    await change({ suspend: false })
    await untilReplicas('3')
    letAnHourPass()
  }
  await until('an event is told again', log, async () => / 2 /.test(` ${await get('events', '{.items[*].count}')} `))
  await kubectl('delete', 'bp', 'taxi')
  await untilGone('deployments', 'taxi-consumer')
}

function pipelineOf(bootstrap: string): string {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'kafka' },
    stringData: { username: 'bronze', password: 'secret' }
  }
  const pipeline = {
    apiVersion: 'bronze.dev/v1alpha1',
    kind: 'BronzePipeline',
    metadata: { name: 'taxi' },
    spec: {
      source: {
        bootstrapServers: [bootstrap],
        security: { protocol: 'SASL_PLAINTEXT', mechanism: 'PLAIN', credentialsSecretRef: { name: 'kafka' } }
      },
      topics: [{ name: 'trips', table: 'bronze.trips' }],
      sink: { delta: { location: 's3://lake/bronze' } }
    }
  }
  return [secret, pipeline].map(object => JSON.stringify(object)).join('\n---\n')
}
