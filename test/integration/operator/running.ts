import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../lib/clock.ts'
import { jsonLog } from '../../../lib/log.ts'
import { KubeClient } from '../../../operator/kube/client.ts'
import type { KubeAccess } from '../../../operator/kube/http.ts'
import { Operator } from '../../../operator/operator.ts'
import type { KubeAddresses } from '../../servers/kube.ts'
import { type KubeApi, kubeApi } from '../crds/kube-api.ts'

const chart = fileURLToPath(new URL('../../../helm/bronze-operator', import.meta.url))
const definition = fileURLToPath(new URL('../../../crds/bronzepipeline.yaml', import.meta.url))

/** A namespace with the permissions that the chart gives an operator that looks after it alone. */
export interface OperatorHome {
  readonly namespace: string
  /** kubectl in that namespace, as the administrator; throws when it fails. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>
  /** As the administrator too; what is asked again and again is asked here, since each kubectl is a process. */
  readonly api: KubeApi
  /** As the operator's service account. */
  readonly access: KubeAccess
}

/** An operator in this process, with the permissions that the chart gives its service account for one namespace. */
export interface RunningOperator extends Omit<OperatorHome, 'access' | 'api'> {
  /** What the operator logged. */
  readonly lines: readonly string[]
  /** How often sources were looked at. */
  readonly samples: () => number
  readonly stop: () => Promise<void>
}

export async function makeHome(kube: KubeAddresses, namespace: string): Promise<OperatorHome> {
  const kubectl = async (args: readonly string[], input = '') => {
    const { code, stdout, stderr } = await kube.kubectl(['-n', namespace, ...args], input)
    assert.equal(code, 0, stderr)
    return stdout
  }
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', definition])
  await established(kube)
  await kubectl(['create', 'namespace', namespace])
  // The API server then refuses pods that do not meet the standard.
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  const settings = ['--set', `watchNamespaces={${namespace}}`, '--set', 'metrics.service.enabled=false']
  const template = ['template', namespace, chart, '-n', namespace, '--skip-tests', ...settings]
  const { code, stdout, stderr } = await kube.helm(template)
  assert.equal(code, 0, stderr)
  await kubectl(['apply', '-f', '-'], withoutDeployment(stdout))
  const accounts = (await kubectl(['get', 'serviceaccounts', '-o', 'name'])).split('\n')
  const account = accounts.find(name => name.includes('bronze-operator')) ?? ''
  const token = await kube.token(namespace, account.replace('serviceaccount/', ''))
  const access = { server: kube.server, ca: kube.ca, token: async () => token }
  return { namespace, kubectl, api: kubeApi(kube), access }
}

export async function runOperator(kube: KubeAddresses, namespace: string): Promise<RunningOperator> {
  const { kubectl, access } = await makeHome(kube, namespace)
  const client = new KubeClient(access, systemClock)
  const lines: string[] = []
  const operator = new Operator({
    kube: client,
    clock: systemClock,
    log: jsonLog(line => lines.push(line), 'info', Date.now),
    namespaces: [namespace],
    consumerImage: 'bronze:test',
    namespace,
    identity: 'test',
    upgradesDefinition: true,
    sampleIntervalMs: 500,
    secretsIntervalMs: 500,
    figuresIntervalMs: 500
  })
  let samples = 0
  const { metrics } = operator
  const sampled = metrics.sampled.bind(metrics)
  metrics.sampled = (key, view) => {
    if (view !== undefined) samples++
    sampled(key, view)
  }
  const stopping = new AbortController()
  const running = operator.run(stopping.signal)
  const stop = async () => {
    stopping.abort()
    await running
    client.close()
  }
  return { namespace, kubectl, lines, samples: () => samples, stop }
}

/** Resolves when the API server serves pipelines. `kubectl wait` fails on a definition that has no conditions yet. */
export async function established(kube: KubeAddresses): Promise<void> {
  const get = async () => (await kube.kubectl(['get', 'bronzepipelines', '-A'])).code
  await eventually('pipelines are served', get, code => code === 0)
}

/** The operator runs here; a Deployment of it would make pods that never start. */
const withoutDeployment = (manifests: string) =>
  manifests
    .split(/^---$/m)
    .filter(document => !/^kind: Deployment$/m.test(document))
    .join('---\n')

/** Asks until the answer is as expected; fails with the last one. */
export async function eventually<T>(what: string, read: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  let last: T | undefined
  for (const untilMs = Date.now() + 120_000; Date.now() < untilMs;) {
    last = await read()
    if (isSo(last)) return last
    await wait(200)
  }
  assert.fail(`${what} did not come true; last seen: ${JSON.stringify(last)}`)
}
