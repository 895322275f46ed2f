import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { EmbeddedBroker } from '../../cli/demo/broker/broker.ts'
import type { BronzePipeline } from '../../crds/pipeline.ts'
import { settle } from '../../crds/settle.ts'
import { judgeAsServer, parsePipeline } from '../../crds/validate.ts'
import { judgeInCluster } from '../../operator/in-cluster.ts'
import { secretsOf } from '../../operator/objects/secret-names.ts'
import type { KubeApi } from '../integration/crds/kube-api.ts'
import { Scheduler } from '../simulation/scheduler.ts'
import { nextManifest, ofItsOwn, partitionsOf, topicsOf, type Manifest } from './specs.ts'

/** One walker: a pipeline that somebody changes again and again. */
export interface WalkOptions {
  readonly api: KubeApi
  readonly broker: EmbeddedBroker
  readonly namespace: string
  readonly name: string
  readonly specs: number
  readonly seed: number
}

export interface WalkOutcome {
  accepted: number
  refused: number
  /** Accepted specs with which consumers were to run. */
  started: number
}

const PATIENCE_MS = 60_000
const STRICT = 'fieldValidation=Strict&fieldManager=walk'

/**
 * Walks one pipeline through so many specs. After each: the API server and ajv must agree; the status must come to speak of
 * it, and say what our own judgement says. Throws AssertionError with the seed and the manifest.
 */
export async function walk({ api, broker, namespace, name, specs, seed }: WalkOptions): Promise<WalkOutcome> {
  const { random } = new Scheduler(seed)
  const path = `/apis/bronze.dev/v1alpha1/namespaces/${namespace}/bronzepipelines`
  const outcome: WalkOutcome = { accepted: 0, refused: 0, started: 0 }
  let there: BronzePipeline | undefined
  for (let step = 0; step < specs; step++) {
    const changed = nextManifest(there as Manifest | undefined, broker.bootstrap, random)
    const next = named(ofItsOwn(changed, name.replace('-', '_')), namespace, name)
    const judged = judgeAsServer(next, there)
    const shown = `seed ${seed}, step ${step}: ${JSON.stringify(next)}`
    if (judged.ok) await prepare(api, broker, namespace, judged.pipeline, random)
    const answer =
      there === undefined ? await api.call('POST', `${path}?${STRICT}`, next) : await replace(api, path, next)
    const isAccepted = answer.status === 200 || answer.status === 201
    assert.equal(
      isAccepted,
      judged.ok,
      `${answer.status} ${String(answer.body['message'])}; ${JSON.stringify(judged)}; ${shown}`
    )
    outcome[isAccepted ? 'accepted' : 'refused']++
    if (!isAccepted) continue
    const now = await converged(api, `${path}/${name}`, shown)
    if (statusOf(now, 'SpecAccepted') === 'True' && (now.status?.replicas ?? 0) > 0) outcome.started++
    const { status: _status, ...rest } = now
    there = rest
  }
  return outcome
}

/** Topics and Secrets that the pipeline names; a Secret is sometimes forgotten. */
async function prepare(
  api: KubeApi,
  broker: EmbeddedBroker,
  namespace: string,
  pipeline: BronzePipeline,
  random: () => number
): Promise<void> {
  for (const topic of topicsOf(pipeline)) {
    try {
      broker.createTopic(topic, { partitions: partitionsOf(topic) })
    } catch {
      // It is there already.
    }
  }
  const parsed = parsePipeline(pipeline)
  if (!parsed.ok) return
  for (const name of secretsOf(settle(parsed.pipeline))) {
    if (random() < 0.2) continue
    const keys = ['username', 'password', 'token', 'ca.crt', 'tls.crt', 'tls.key', 'accessKeyId', 'secretAccessKey']
    const stringData = Object.fromEntries(keys.map(key => [key, 'x']))
    await api.call('POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, stringData })
  }
}

async function replace(api: KubeApi, path: string, manifest: Manifest) {
  for (;;) {
    const now = await api.call('GET', `${path}/${String(manifest.metadata['name'])}`)
    const { resourceVersion } = now.body['metadata'] as { resourceVersion: string }
    const changed = { ...manifest, metadata: { ...manifest.metadata, resourceVersion } }
    const answer = await api.call('PUT', `${path}/${String(manifest.metadata['name'])}?${STRICT}`, changed)
    // A status was written in between.
    if (answer.status !== 409) return answer
  }
}

/** Waits until the status speaks of the newest generation and agrees with our own judgement of it. */
async function converged(api: KubeApi, path: string, shown: string): Promise<BronzePipeline> {
  let now: BronzePipeline | undefined
  for (const untilMs = Date.now() + PATIENCE_MS; Date.now() < untilMs; await wait(50)) {
    now = (await api.call('GET', path)).body as unknown as BronzePipeline
    if (now.status?.observedGeneration === now.metadata.generation && isConsistent(now)) return now
  }
  assert.fail(`the status did not come to speak of the spec: ${JSON.stringify(now?.status)}; ${shown}`)
}

function isConsistent(pipeline: BronzePipeline): boolean {
  const conditions = pipeline.status?.conditions ?? []
  if (conditions.some(({ observedGeneration }) => observedGeneration !== pipeline.metadata.generation)) return false
  const { status: _status, ...document } = pipeline
  return statusOf(pipeline, 'SpecAccepted') === (judgeInCluster(parsePipeline(document)).ok ? 'True' : 'False')
}

const statusOf = ({ status }: BronzePipeline, type: string) =>
  status?.conditions?.find(condition => condition.type === type)?.status

const named = (manifest: Manifest, namespace: string, name: string): Manifest => ({
  apiVersion: manifest.apiVersion,
  kind: manifest.kind,
  metadata: { name, namespace },
  spec: manifest.spec
})
