import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { startBroker } from '../../cli/demo/broker/broker.ts'
import type { BronzePipelineStatus } from '../../crds/pipeline.ts'
import { definition } from '../../crds/schema.ts'
import { systemClock } from '../../lib/clock.ts'
import { jsonLog } from '../../lib/log.ts'
import { KubeClient } from '../../operator/kube/client.ts'
import { textDiff } from '../../operator/objects/object-diff.ts'
import { Operator } from '../../operator/operator.ts'
import { type KubeApi, kubeApi } from '../integration/crds/kube-api.ts'
import { established } from '../integration/operator/running.ts'
import type { KubeAddresses } from '../servers/kube.ts'
import { walk, type WalkOutcome } from './walk.ts'

export interface WalksOptions {
  readonly kube: KubeAddresses
  /** In all. */
  readonly specs: number
  /** Pipelines that are walked at the same time. */
  readonly walkers: number
  readonly seed: number
  /** How long all of them are left alone at the end, to count what is done without a reason. */
  readonly idleSeconds: number
}

export interface WalksReport extends WalkOutcome {
  readonly specs: number
  readonly seed: number
  /** Pipelines that run differently from one that was created with the same spec. */
  readonly pathDependent: readonly string[]
  /** Per pipeline, while nothing changes. */
  readonly reconcilesPerHour: number
}

/** Walks many pipelines under one operator; throws AssertionError on the first disagreement. */
export async function runWalks({ kube, specs, walkers, seed, idleSeconds }: WalksOptions): Promise<WalksReport> {
  const suffix = randomBytes(4).toString('hex')
  const [walked, fresh] = [`walk-${suffix}`, `fresh-${suffix}`]
  await kube.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(definition))
  await established(kube)
  for (const namespace of [walked, fresh]) {
    const { code, stderr } = await kube.kubectl(['create', 'namespace', namespace])
    assert.equal(code, 0, stderr)
    await kube.kubectl(['-n', namespace, 'create', 'serviceaccount', 'mine'])
  }
  const broker = await startBroker()
  const operator = await startOperator(kube, walked, [walked, fresh])
  const apis = Array.from({ length: walkers }, () => kubeApi(kube))
  try {
    const outcomes = await Promise.all(
      apis.map((api, index) => {
        const mine = Math.floor(((index + 1) * specs) / walkers) - Math.floor((index * specs) / walkers)
        return walk({ api, broker, namespace: walked, name: `walker-${index}`, specs: mine, seed: seed + index })
      })
    )
    const sum = (of: keyof WalkOutcome) => outcomes.reduce((total, outcome) => total + outcome[of], 0)
    const pathDependent = await compare(apis[0]!, walked, fresh)
    const reconcilesPerHour = await idle(operator, idleSeconds, walkers)
    return {
      specs,
      seed,
      accepted: sum('accepted'),
      refused: sum('refused'),
      started: sum('started'),
      pathDependent,
      reconcilesPerHour
    }
  } finally {
    await operator.stop()
    await broker.stop()
    for (const api of apis) api.close()
    await kube.kubectl(['delete', 'namespace', walked, fresh, '--wait=false'])
  }
}

interface RunningOperator {
  readonly reconciles: () => Promise<number>
  readonly stop: () => Promise<void>
}

async function startOperator(
  kube: KubeAddresses,
  namespace: string,
  namespaces: readonly string[]
): Promise<RunningOperator> {
  const created = await kube.kubectl(['-n', namespace, 'create', 'serviceaccount', 'operator'])
  assert.equal(created.code, 0, created.stderr)
  const binding = ['create', 'clusterrolebinding', namespace, '--clusterrole=cluster-admin']
  await kube.kubectl([...binding, `--serviceaccount=${namespace}:operator`])
  const token = await kube.token(namespace, 'operator')
  const client = new KubeClient({ server: kube.server, ca: kube.ca, token: async () => token }, systemClock)
  const operator = new Operator({
    kube: client,
    clock: systemClock,
    log: jsonLog(() => {}, 'error', Date.now),
    namespaces,
    consumerImage: 'bronze:walk',
    namespace,
    identity: 'walk',
    upgradesDefinition: false,
    // Quicker than in production while there is much to see; what is done without a reason does not hang on it.
    sampleIntervalMs: 1000,
    secretsIntervalMs: 60_000
  })
  const stopping = new AbortController()
  const running = operator.run(stopping.signal)
  return {
    reconciles: async () => {
      const { body } = await operator.metrics.scrape()
      return Number(/^bronze_operator_reconcile_seconds_count (\d+)$/m.exec(body)?.[1] ?? 0)
    },
    stop: async () => {
      stopping.abort()
      await running
      client.close()
      await kube.kubectl(['delete', 'clusterrolebinding', namespace])
    }
  }
}

/**
 * Creates each pipeline anew, in another namespace, as it is at the end of its walk: what runs must not depend on the way by
 * which a spec came about. Gives what differs.
 */
async function compare(api: KubeApi, walked: string, fresh: string): Promise<readonly string[]> {
  const paths = (namespace: string) => `/apis/bronze.dev/v1alpha1/namespaces/${namespace}/bronzepipelines`
  const { items } = (await api.call('GET', paths(walked))).body as { items: readonly Named[] }
  const secrets = (await api.call('GET', `/api/v1/namespaces/${walked}/secrets`)).body as { items: readonly Secret[] }
  for (const { metadata, data } of secrets.items) {
    await api.call('POST', `/api/v1/namespaces/${fresh}/secrets`, { metadata: { name: metadata.name }, data })
  }
  const read = async (namespace: string, name: string) =>
    outline((await api.call('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}-consumer`)).body)
  const before = new Map<string, unknown>()
  for (const { metadata } of items) before.set(metadata.name, await read(walked, metadata.name))
  // The copies claim the same tables and groups: those that have them go first.
  await api.call('DELETE', paths(walked))
  // So does what belongs to them, which the cluster collects after a while: that is news for the operator.
  const left = [paths(walked), `/apis/apps/v1/namespaces/${walked}/deployments`, `/api/v1/namespaces/${walked}/pods`]
  for (const path of left) {
    while (((await api.call('GET', path)).body as { items: readonly Named[] }).items.length > 0) await wait(500)
  }
  for (const { apiVersion, kind, metadata, spec } of items) {
    const copy = { apiVersion, kind, metadata: { name: metadata.name, namespace: fresh }, spec }
    assert.equal((await api.call('POST', paths(fresh), copy)).status, 201)
  }
  const different: string[] = []
  for (const [name, expected] of before) {
    await settled(api, `${paths(fresh)}/${name}`)
    const isSame = (now: unknown) => JSON.stringify(now) === JSON.stringify(expected)
    let now = await read(fresh, name)
    // What cannot be carried out (no Secret, no broker, a plan) leaves what runs as it is; the copy has nothing that runs.
    for (let attempt = 0; attempt < 150 && now !== undefined && !isSame(now); attempt++) {
      await wait(200)
      now = await read(fresh, name)
    }
    if (now !== undefined && !isSame(now)) {
      different.push(`${name}: ${textDiff(linesOf(expected), linesOf(now)).join('\n')}`)
    }
  }
  return different
}

/** Resolves when the source was looked at, and what came of that is done. */
async function settled(api: KubeApi, path: string): Promise<void> {
  for (;;) {
    const { status } = (await api.call('GET', path)).body as { status?: BronzePipelineStatus }
    const source = status?.conditions?.find(({ type }) => type === 'SourceReachable')
    const state = status?.conditions?.find(({ type }) => type === 'Reconciling')
    if (source?.status === 'False' || (source?.status === 'True' && state?.reason !== 'Held')) return
    if (status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True') === true) return
    await wait(200)
  }
}

interface Named {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: unknown
}

type Secret = Named & { readonly data: unknown }

interface DeploymentBody {
  readonly spec?: {
    readonly replicas: number
    readonly template: { readonly metadata: unknown; readonly spec: { readonly containers: readonly object[] } }
  }
}

const linesOf = (value: unknown) => (JSON.stringify(value, null, 1) ?? '').split('\n')

/** What runs: names made from the namespace and from the time of creation are left out. */
function outline(body: object): unknown {
  const { spec } = body as DeploymentBody
  if (spec === undefined) return undefined
  const text = JSON.stringify({ replicas: spec.replicas, template: spec.template })
  return JSON.parse(text.replaceAll(/-config-[0-9a-f]{40}/g, '-config')) as unknown
}

/** Reconciles per pipeline and hour while nothing changes. */
async function idle(operator: RunningOperator, seconds: number, pipelines: number): Promise<number> {
  // What the last change has brought about ends first.
  await wait(35_000)
  const before = await operator.reconciles()
  await wait(seconds * 1000)
  return Number((((await operator.reconciles()) - before) / pipelines / (seconds / 3600)).toPrecision(2))
}
