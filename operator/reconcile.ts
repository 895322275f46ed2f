import type { BronzePipeline, BronzePipelineStatus } from '../crds/pipeline.ts'
import { settle } from '../crds/settle.ts'
import type { SettledPipeline } from '../crds/settled.ts'
import { parsePipeline, type ParseResult } from '../crds/validate.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { ClaimBook } from './claim-book.ts'
import type { EventRecorder } from './events.ts'
import { judgeInCluster } from './in-cluster.ts'
import {
  BUDGETS,
  CONFIG_MAPS,
  DEPLOYMENTS,
  KubeError,
  PIPELINES,
  PODS,
  SERVICE_ACCOUNTS,
  type Kube,
  type KubeObject,
  type ResourceType
} from './kube.ts'
import type { OperatorMetrics } from './metrics.ts'
import { consumerName } from './names.ts'
import { plan, type Action, type Observed, type Plan } from './plan.ts'
import { configMap, secretsOf } from './resources.ts'
import type { Sampling } from './sampling.ts'
import type { SecretReader } from './secrets.ts'
import { writeAfterMs } from './status.ts'
import type { Stores } from './stores.ts'
import type { Outcome } from './work.ts'

/** Objects of a deleted pipeline of the same name are gone within seconds. */
const WAIT_FOR_COLLECTION_MS = 2000
const RESYNC_MS = 600_000
/** What time alone may change is not looked at sooner. */
const LEAST_PAUSE_MS = 1000
/** By a quota, a policy, missing permission, or because a field is not valid. */
const REFUSALS = new Set([400, 403, 422])

export interface ReconcilerPorts {
  readonly kube: Kube
  readonly stores: Stores
  readonly sampling: Sampling
  readonly secrets: SecretReader
  readonly events: EventRecorder
  readonly claims: Pick<ClaimBook, 'holderOf'>
  readonly metrics: OperatorMetrics
  readonly clock: Clock
  readonly log: Log
  /** Image of the consumers of pipelines that name none. */
  readonly consumerImage: string
  /** How often Secrets that a pipeline names are looked at. */
  readonly secretsIntervalMs: number
  /** Figures that moved are written at most this often; 30 s when absent. */
  readonly figuresIntervalMs?: number | undefined
}

interface Written {
  readonly uid: string
  readonly status: BronzePipelineStatus
  readonly atMs: number
}

/** One pipeline: observe → plan → apply → status. Nothing is decided here. */
export class Reconciler {
  readonly #ports: ReconcilerPorts
  /** What the API server may show us only later. */
  readonly #written = new Map<string, Written>()

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports
  }

  /** `key` is `namespace/name`. Throws KubeError; soon, once the signal aborts. */
  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const { stores, sampling, claims, metrics, clock, consumerImage } = this.#ports
    const [namespace = '', name = ''] = key.split('/')
    const object = stores.get(PIPELINES, namespace, name) as BronzePipeline | undefined
    // What belongs to a deleted pipeline is the garbage collector's; tables and offsets stay.
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
      sampling.forget(key)
      metrics.sampled(key, undefined)
      this.#written.delete(key)
      return { requeueAfterMs: undefined }
    }
    const written = this.#writtenOf(key, object)
    const pipeline = written === undefined ? object : { ...object, status: written.status }
    const parsed = judgeInCluster(parsePipeline(object))
    const settled = parsed.ok ? settle(parsed.pipeline) : undefined
    const claim = claims.holderOf(key)
    if (settled === undefined || claim !== undefined) {
      // Figures of what is not followed would stay as they were.
      sampling.forget(key)
      metrics.sampled(key, undefined)
    } else sampling.follow(key, settled)
    const observed = await this.#observe(key, pipeline, parsed, settled, signal)
    const planned = plan(observed, consumerImage, clock.now())
    const refused = await this.#act(object, planned, signal)
    const { status } =
      refused === undefined ? planned : plan({ ...observed, refusal: refused.message }, consumerImage, clock.now())
    const statusMs = await this.#report(key, object, pipeline.status ?? {}, status, signal)
    if (refused !== undefined) throw refused
    const hasSecrets = settled !== undefined && secretsOf(settled).length > 0
    return {
      requeueAfterMs: Math.min(
        statusMs ?? RESYNC_MS,
        hasSecrets ? this.#ports.secretsIntervalMs : RESYNC_MS,
        planned.isWaiting ? WAIT_FOR_COLLECTION_MS : RESYNC_MS,
        Math.max(LEAST_PAUSE_MS, planned.lookAgainMs ?? RESYNC_MS)
      )
    }
  }

  async #observe(
    key: string,
    pipeline: BronzePipeline,
    parsed: ParseResult,
    settled: SettledPipeline | undefined,
    signal: AbortSignal
  ): Promise<Observed> {
    const { stores, sampling, secrets } = this.#ports
    const { namespace = '', name } = pipeline.metadata
    const own = consumerName(name)
    const config = parsed.ok ? configMap(parsed.pipeline).metadata.name : undefined
    const configMaps = stores.ofPipeline(CONFIG_MAPS, namespace, name)
    const isHeld = configMaps.some(({ metadata }) => metadata.name === config)
    const current = config === undefined || isHeld ? undefined : await this.#get(CONFIG_MAPS, namespace, config, signal)
    const named = settled === undefined ? [] : secretsOf(settled)
    return {
      pipeline,
      parsed,
      deployment: await this.#get(DEPLOYMENTS, namespace, own, signal),
      serviceAccount:
        settled?.consumer.serviceAccountName === undefined
          ? await this.#get(SERVICE_ACCOUNTS, namespace, own, signal)
          : stores.get(SERVICE_ACCOUNTS, namespace, own),
      budget: await this.#get(BUDGETS, namespace, own, signal),
      configMaps: current === undefined ? configMaps : [...configMaps, current],
      pods: stores.ofPipeline(PODS, namespace, name),
      secrets: new Map(
        await Promise.all(named.map(async secret => [secret, await secrets.hash(namespace, secret)] as const))
      ),
      claim: this.#ports.claims.holderOf(key),
      source: sampling.view(key)
    }
  }

  /** The copies hold only what has our label: an object of the same name that has not would be somebody else's. */
  async #get(
    type: ResourceType,
    namespace: string,
    name: string,
    signal: AbortSignal
  ): Promise<KubeObject | undefined> {
    return this.#ports.stores.get(type, namespace, name) ?? this.#ports.kube.get(type, namespace, name, { signal })
  }

  /** Gives the API server's refusal of an object; what may pass is thrown. */
  async #act(pipeline: KubeObject, { actions, notes }: Plan, signal: AbortSignal): Promise<KubeError | undefined> {
    const { events, log } = this.#ports
    for (const action of actions) {
      try {
        await this.#perform(action, signal)
      } catch (error) {
        if (!(error instanceof KubeError && REFUSALS.has(error.status))) throw error
        await events.tell(pipeline, { type: 'Warning', reason: 'ApplyFailed', message: error.message })
        return error
      }
      const { namespace, name } = action.object.metadata
      log.info(action.do === 'apply' ? 'applied' : 'deleted', {
        kind: action.type.kind,
        object: `${namespace}/${name}`
      })
    }
    for (const note of notes) await events.tell(pipeline, note)
    return undefined
  }

  async #perform({ do: verb, type, object }: Action, signal: AbortSignal): Promise<void> {
    const { kube, metrics } = this.#ports
    await (verb === 'apply' ? kube.apply(type, object, { signal }) : kube.delete(type, object, { signal }))
    metrics.wrote(type.kind, verb)
  }

  /** Writes the status when it is time to; gives when to come back for it. */
  async #report(
    key: string,
    { apiVersion, kind, metadata: { namespace = '', name, uid = '' } }: KubeObject,
    before: BronzePipelineStatus,
    status: BronzePipelineStatus,
    signal: AbortSignal
  ): Promise<number | undefined> {
    const { kube, clock, metrics, figuresIntervalMs } = this.#ports
    const nowMs = clock.now()
    const afterMs = writeAfterMs(before, status, this.#written.get(key)?.atMs, nowMs, figuresIntervalMs)
    if (afterMs !== 0) return afterMs
    try {
      // The uid: a pipeline created anew under this name must not get the status of the old one.
      const metadata = { namespace, name, uid }
      await kube.applyStatus(PIPELINES, { apiVersion, kind, metadata, status } as KubeObject, { signal })
      metrics.wrote(kind, 'status')
    } catch (error) {
      if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return undefined
      throw error
    }
    this.#written.set(key, { uid, status, atMs: nowMs })
    return undefined
  }

  #writtenOf(key: string, { metadata }: KubeObject): Written | undefined {
    const written = this.#written.get(key)
    if (written?.uid === metadata.uid) return written
    this.#written.delete(key)
    return undefined
  }
}
