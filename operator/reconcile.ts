import type { BronzePipeline, BronzePipelineStatus } from '../crds/pipeline.ts'
import { settle } from '../crds/settle.ts'
import { parsePipeline } from '../crds/validate.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { inGroups, type Action } from './actions.ts'
import { dryRun, type PlannedChange } from './objects/dry-run.ts'
import type { EventNote, EventRecorder } from './kube/events.ts'
import { judgeInCluster } from './in-cluster.ts'
import { keyOf, KubeError, PIPELINES, type KubeObject } from './kube/kube.ts'
import type { OperatorMetrics } from './metrics.ts'
import { noteAdmitted, type Admitted } from './objects/admitted.ts'
import { APPLIED } from './objects/names.ts'
import { observe, type ObserverPorts } from './observe.ts'
import { plan, type Observed, type Plan, type Version } from './plan.ts'
import type { Sampling } from './source/sampling.ts'
import { writeAfterMs } from './status/status.ts'
import type { Stores } from './kube/stores.ts'
import type { Outcome } from './queue/work.ts'

/** Objects of a deleted pipeline of the same name are gone within seconds. */
const WAIT_FOR_COLLECTION_MS = 2000
const RESYNC_MS = 600_000
/** What time alone may change is not looked at sooner. */
const LEAST_PAUSE_MS = 1000
/** By a quota, a policy, missing permission, or because a field is not valid. */
const REFUSALS = new Set([400, 403, 422])

export interface ReconcilerPorts extends ObserverPorts {
  readonly stores: Stores
  readonly sampling: Sampling
  readonly events: EventRecorder
  readonly metrics: OperatorMetrics
  readonly clock: Clock
  readonly log: Log
  /** Image of the consumers of pipelines that name none. */
  readonly consumerImage: string
  /** How often Secrets that a pipeline names are looked at. */
  readonly secretsIntervalMs: number
  /** What another version of the operator has otherwise; for tests between versions. */
  readonly version?: Version | undefined
  /** Figures that moved are written at most this often; 30 s when absent. */
  readonly figuresIntervalMs?: number | undefined
}

interface Written {
  readonly uid: string
  readonly status: BronzePipelineStatus
  readonly atMs: number
}

interface DryRun {
  /** What the answer is to. */
  readonly of: string
  readonly changes: readonly PlannedChange[]
  readonly atMs: number
}

/** One pipeline: observe → plan → apply → status. Nothing is decided here. */
export class Reconciler {
  readonly #ports: ReconcilerPorts
  /** What the API server may show us only later. */
  readonly #written = new Map<string, Written>()
  readonly #dryRuns = new Map<string, DryRun>()
  readonly #admitted = new Map<string, Admitted>()

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
      this.#dryRuns.delete(key)
      this.#admitted.delete(key)
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
    const [observed, wasCurrent] = await Promise.all([
      observe({ key, pipeline, parsed, settled }, this.#ports, signal),
      // Of one that nobody has reported on yet there is all to be done.
      pipeline.status === undefined ? this.#isCurrent(object, signal) : undefined
    ])
    const planWith = (more: Partial<Observed>) =>
      plan({ ...observed, admitted: this.#admitted.get(key), ...more }, consumerImage, clock.now(), this.#ports.version)
    const first = planWith({})
    const dryRun = await this.#wouldChange(key, object, first)
    const planned = dryRun === undefined ? first : planWith({ dryRun })
    const outcome = await this.#act(object, planned, wasCurrent, signal)
    // Somebody else was faster: what is to be done is planned anew from what he made of it.
    if (outcome === 'outdated') return { requeueAfterMs: LEAST_PAUSE_MS }
    const { status } = outcome === undefined ? planned : planWith({ refusal: outcome.message })
    const [statusMs] = await Promise.all([
      this.#report(key, object, pipeline.status ?? {}, status, signal),
      this.#tell(object, outcome === undefined ? planned.notes : [refusalNote(outcome)])
    ])
    if (outcome !== undefined) throw outcome
    return {
      requeueAfterMs: Math.min(
        statusMs ?? RESYNC_MS,
        observed.secrets.size > 0 ? this.#ports.secretsIntervalMs : RESYNC_MS,
        planned.isWaiting ? WAIT_FOR_COLLECTION_MS : RESYNC_MS,
        Math.max(LEAST_PAUSE_MS, planned.lookAgainMs ?? RESYNC_MS)
      )
    }
  }

  /** In mode Plan, what the API server says that the plan would change; it is asked again when the plan is another. */
  async #wouldChange(key: string, { metadata }: KubeObject, { proposed }: Plan) {
    if (proposed === undefined) {
      this.#dryRuns.delete(key)
      return undefined
    }
    const { kube, clock } = this.#ports
    const told = proposed.map(({ do: verb, object }) => [verb, object.kind, object.metadata.annotations?.[APPLIED]])
    const of = JSON.stringify([metadata.uid, metadata.generation, told])
    const kept = this.#dryRuns.get(key)
    if (kept?.of === of && clock.now() - kept.atMs < RESYNC_MS) return kept.changes
    const changes = await dryRun(kube, proposed)
    this.#dryRuns.set(key, { of, changes, atMs: clock.now() })
    return changes
  }

  /** Gives the API server's refusal of an object; what may pass is thrown. */
  async #act(
    pipeline: KubeObject,
    { actions }: Plan,
    wasCurrent: boolean | undefined,
    signal: AbortSignal
  ): Promise<KubeError | 'outdated' | undefined> {
    const isCurrent = actions.length === 0 || (wasCurrent ?? (await this.#isCurrent(pipeline, signal)))
    if (!isCurrent) return 'outdated'
    for (const group of inGroups(actions)) {
      const done = await Promise.allSettled(group.map(action => this.#perform(keyOf(pipeline), action, signal)))
      const [error] = done.flatMap(one => (one.status === 'rejected' ? [one.reason as unknown] : []))
      if (error === undefined) continue
      if (error instanceof KubeError && error.status === 409) return 'outdated'
      if (error instanceof KubeError && REFUSALS.has(error.status)) return error
      throw error
    }
    return undefined
  }

  async #tell(pipeline: KubeObject, notes: readonly EventNote[]): Promise<void> {
    for (const note of notes) await this.#ports.events.tell(pipeline, note)
  }

  /** Whether our copy is what the API server has: after a failover it may be behind, and what is left over by it be in use. */
  async #isCurrent({ metadata }: KubeObject, signal: AbortSignal): Promise<boolean> {
    const live = await this.#ports.kube.get(PIPELINES, metadata.namespace, metadata.name, { signal })
    return live !== undefined && keyOfVersion(live.metadata) === keyOfVersion(metadata)
  }

  async #perform(key: string, { do: verb, type, object }: Action, signal: AbortSignal): Promise<void> {
    const { kube, metrics, log } = this.#ports
    if (verb === 'delete') await kube.delete(type, object, { signal })
    else {
      const made = await kube.apply(type, object, { signal })
      const admitted = this.#admitted.get(key) ?? new Map<string, string>()
      noteAdmitted(admitted, object, made)
      this.#admitted.set(key, admitted)
    }
    metrics.wrote(type.kind, verb)
    const { namespace, name } = object.metadata
    log.info(verb === 'apply' ? 'applied' : 'deleted', { kind: type.kind, object: `${namespace}/${name}` })
  }

  /** Writes the status when it is time to; gives when to come back for it. */
  async #report(
    key: string,
    { apiVersion, kind, metadata: { namespace = '', name, uid = '', resourceVersion } }: KubeObject,
    before: BronzePipelineStatus,
    status: BronzePipelineStatus,
    signal: AbortSignal
  ): Promise<number | undefined> {
    const { kube, clock, metrics, figuresIntervalMs } = this.#ports
    const nowMs = clock.now()
    const written = this.#written.get(key)
    const afterMs = writeAfterMs(before, status, written?.atMs, nowMs, figuresIntervalMs)
    if (afterMs !== 0) return afterMs
    try {
      // The uid: a pipeline created anew under this name must not get the status of the old one.
      // The version, until we have written ourselves: the leader before us may have told of something newer than our copy.
      const seen = written === undefined && resourceVersion !== undefined ? { resourceVersion } : {}
      const metadata = { namespace, name, uid, ...seen }
      await kube.applyStatus(PIPELINES, { apiVersion, kind, metadata, status } as KubeObject, { signal })
      metrics.wrote(kind, 'status')
    } catch (error) {
      if (!(error instanceof KubeError && (error.status === 404 || error.status === 409))) throw error
      // It is gone, or has changed: the copy says so soon.
      return LEAST_PAUSE_MS
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

const refusalNote = ({ message }: KubeError): EventNote => ({ type: 'Warning', reason: 'ApplyFailed', message })

const keyOfVersion = ({ uid, generation }: KubeObject['metadata']) => `${uid} ${generation}`
