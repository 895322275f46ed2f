import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { startBroker, type EmbeddedBroker } from '../../../cli/demo/broker/broker.ts'
import { startKube, type KubeServer } from '../../servers/kube.ts'
import { need } from '../../servers/need.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const chart = join(root, 'helm/bronze-operator')
const PATIENCE_MS = 60_000

interface Deployment {
  readonly kind: string
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly [{ readonly env: readonly Variable[] }] } }
  }
}
type Variable = { readonly name: string; readonly value?: string }

suite('the operator works with what the chart allows and no more', need('kube', 'helm'), () => {
  let kube: KubeServer
  let broker: EmbeddedBroker
  before(async () => {
    kube = await startKube({ controllers: false })
    broker = await startBroker({ users: { bronze: 'secret' } })
    broker.createTopic('trips', { partitions: 3 })
  })
  after(async () => {
    await broker.stop()
    await kube.stop()
  })

  for (const [release, namespace, settings] of [
    ['everywhere', 'team', []],
    ['restricted', 'other-team', ['--set', 'watchNamespaces={other-team}']]
  ] as const) {
    test(`release ${release}`, async t => {
      await succeed(kube.kubectl(['create', 'namespace', namespace]))
      await succeed(
        kube.helm(['install', release, chart, '-n', `bronze-${release}`, '--create-namespace', ...settings])
      )
      const { stdout } = await succeed(kube.helm(['template', release, chart, '-n', `bronze-${release}`, ...settings]))
      await succeed(
        kube.kubectl(['wait', '--for=condition=Established', 'crd/bronzepipelines.bronze.dev', '--timeout=20s'])
      )
      const log = await startOperator(t, kube, `bronze-${release}`, `${release}-bronze-operator`, stdout)
      await succeed(kube.kubectl(['apply', '-n', namespace, '-f', '-'], manifests(broker.bootstrap)))
      const get = async (what: string, path: string) =>
        (await kube.kubectl(['-n', namespace, 'get', what, '-o', `jsonpath=${path}`])).stdout
      await until(log, async () => (await get('bp/taxi', '{.status.partitions}')) === '3')
      await until(log, async () => (await get('deployments', '{.items[*].spec.replicas}')) === '3')
      for (const kind of ['configmaps', 'serviceaccounts', 'poddisruptionbudgets']) {
        assert.match(await get(kind, '{.items[*].metadata.name}'), /taxi/, kind)
      }
      await until(log, async () => (await get('events', '{.items[*].reason}')) !== '')
      assert.match(log(), /the resource definition is up to date/)
      assert.doesNotMatch(log(), /forbidden|"status":40[13]/i)
      await succeed(kube.helm(['uninstall', release, '-n', `bronze-${release}`]))
    })
  }
})

/** Runs the operator as the chart's Deployment would, with the token of its service account; gives what it logs. */
async function startOperator(t: TestContext, kube: KubeServer, namespace: string, account: string, rendered: string) {
  const folder = await mkdtemp(join(tmpdir(), 'bronze-operator-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const cluster = { server: kube.server, 'certificate-authority-data': Buffer.from(kube.ca).toString('base64') }
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'operator', user: { token: await kube.token(namespace, account) } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'operator' } }],
      'current-context': 'test'
    })
  )
  const deployment = parseAllDocuments(rendered)
    .map(document => document.toJS() as Deployment)
    .find(({ kind }) => kind === 'Deployment')!
  const variables = deployment.spec.template.spec.containers[0].env.flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value]]
  )
  const env = {
    PATH: process.env['PATH'],
    ...Object.fromEntries(variables),
    KUBECONFIG: kubeconfig,
    PORT: '0',
    POD_NAME: account,
    POD_NAMESPACE: namespace
  }
  const child = spawn(process.execPath, ['operator/main.ts'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  t.after(async () => {
    child.kill('SIGTERM')
    const [code] = (await exited) as [number | null]
    await rm(folder, { recursive: true })
    assert.equal(code, 0, text)
  })
  return () => text
}

function manifests(bootstrap: string): string {
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

async function succeed(running: ReturnType<KubeServer['kubectl']>) {
  const finished = await running
  assert.equal(finished.code, 0, finished.stderr)
  return finished
}

async function until(log: () => string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (Date.now() > endMs) assert.fail(log())
    await wait(300)
  }
}
