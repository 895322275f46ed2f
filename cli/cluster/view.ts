import type { BronzePipeline, Condition } from '../../crds/pipeline.ts'
import type { KubeObject } from '../../operator/kube/kube.ts'
import { timeMs } from '../../operator/kube/times.ts'
import { workloadOf, type Deployment, type Pod } from '../../operator/objects/workload.ts'
import { configOf } from '../../operator/revision/revision.ts'

/** What the API server tells of a pipeline at one moment; undefined is what we may not see. */
export interface Seen {
  readonly atMs: number
  readonly pipeline: BronzePipeline
  readonly deployment: Deployment | undefined
  readonly pods: readonly Pod[] | undefined
  /** Partitions that a pod says it has, by its name. */
  readonly partitions: ReadonlyMap<string, number>
  readonly events: readonly KubeEvent[] | undefined
}

export interface KubeEvent extends KubeObject {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly count?: number
  readonly firstTimestamp?: string | null
  readonly lastTimestamp?: string | null
  readonly eventTime?: string | null
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string } | null
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly uid?: string }
}

export interface PodView {
  readonly name: string
  readonly ready: boolean
  readonly partitions: number | undefined
  readonly restarts: number
  readonly startedMs: number | undefined
  /** One word: `Running`, `Pending`, `CrashLoopBackOff`, `Terminating` */
  readonly state: string
  /** The ConfigMap it runs with. */
  readonly config: string | undefined
  readonly lastEnd: EndView | undefined
}

/** How a container last ended. */
export interface EndView {
  readonly reason: string
  readonly exitCode: number
  readonly atMs: number | undefined
  /** What it left as its last word. */
  readonly message: string
}

export interface WarningView {
  readonly reason: string
  readonly message: string
  readonly count: number
  readonly lastMs: number
}

export interface RolloutView {
  /** The ConfigMap that new pods get; undefined before there is a Deployment. */
  readonly revision: string | undefined
  readonly updatedPods: number
  readonly isDone: boolean
}

/** What a status shows. */
export interface PipelineView {
  readonly atMs: number
  readonly pipeline: BronzePipeline
  readonly ready: Condition | undefined
  /** Those that are not as they should be. */
  readonly troubles: readonly Condition[]
  /** Why there is no status, or one of another day; undefined when it speaks of what is there. */
  readonly outdated: string | undefined
  readonly pods: readonly PodView[] | undefined
  readonly wanted: number | undefined
  readonly scaling: Condition | undefined
  readonly rollout: RolloutView | undefined
  readonly warnings: readonly WarningView[] | undefined
}

const WARNINGS_MS = 3_600_000
const MAX_WARNINGS = 8

export function viewOf({ atMs, pipeline, deployment, pods, partitions, events }: Seen): PipelineView {
  const conditions = pipeline.status?.conditions ?? []
  const podViews = pods?.map(pod => podView(pod, partitions.get(pod.metadata.name)))
  return {
    atMs,
    pipeline,
    ready: conditions.find(({ type }) => type === 'Ready'),
    troubles: troublesOf(conditions),
    outdated: outdatedText(pipeline),
    pods: podViews,
    wanted: deployment?.spec?.replicas,
    scaling: conditions.find(({ type }) => type === 'ScalingActive'),
    rollout: deployment === undefined ? undefined : rolloutOf(deployment, pods ?? [], podViews ?? []),
    warnings: events
      ?.flatMap(event => warningOf(event, atMs))
      .toSorted((a, b) => b.lastMs - a.lastMs)
      .slice(0, MAX_WARNINGS)
  }
}

/** Whether all is as its owner wants it. */
export const isWell = ({ ready, outdated }: PipelineView): boolean =>
  outdated === undefined && (ready?.status === 'True' || ready?.reason === 'Suspended')

/** Bad when True; the others are bad when they are not. Ready repeats what others say, and is shown in the headline. */
const BAD_WHEN_TRUE = new Set(['DataLoss', 'Stalled', 'Reconciling'])

function troublesOf(conditions: readonly Condition[]): readonly Condition[] {
  const bad = conditions.filter(({ type, status }) => (BAD_WHEN_TRUE.has(type) ? status === 'True' : status !== 'True'))
  const others = bad.filter(({ type }) => type !== 'Ready')
  const told = others.length === 0 ? bad : others
  // Stalled says again what another condition says.
  const sameAs = (one: Condition) => (other: Condition) => other.reason === one.reason && other.message === one.message
  return told.filter((condition, index) => told.findIndex(sameAs(condition)) === index)
}

function outdatedText({ metadata: { generation = 0, deletionTimestamp }, status }: BronzePipeline): string | undefined {
  if (deletionTimestamp !== undefined) return 'it is being deleted'
  const seen = status?.observedGeneration
  if (seen === undefined) return 'no operator has looked at it yet: does one run, and watch this namespace?'
  if (seen < generation)
    return `the operator has not looked at the last change yet (generation ${generation}, it knows ${seen})`
  return undefined
}

const CONTAINER = 'consumer'

export function podView(pod: Pod, partitions: number | undefined): PodView {
  const { metadata, status = {} } = pod
  const container = status.containerStatuses?.find(({ name }) => name === CONTAINER)
  const { restartCount = 0 } = (container ?? {}) as { restartCount?: number }
  const startedMs = timeMs((status as { startTime?: string }).startTime ?? metadata.creationTimestamp)
  const ended = container?.state?.terminated ?? container?.lastState?.terminated
  const reason = container?.state?.waiting?.reason ?? (status as { reason?: string }).reason
  return {
    name: metadata.name,
    ready: container?.ready === true,
    partitions,
    restarts: restartCount,
    startedMs,
    state: metadata.deletionTimestamp === undefined ? (reason ?? status.phase ?? 'Unknown') : 'Terminating',
    config: configOf(pod),
    lastEnd: ended && {
      reason: ended.reason ?? 'Error',
      exitCode: ended.exitCode,
      atMs: timeMs((ended as { finishedAt?: string }).finishedAt),
      message: ended.message ?? ''
    }
  }
}

function rolloutOf(deployment: Deployment, pods: readonly Pod[], views: readonly PodView[]): RolloutView {
  const revision = configOf(deployment.spec?.template)
  return {
    revision,
    updatedPods: views.filter(({ config, state }) => config === revision && state !== 'Terminating').length,
    isDone: workloadOf(deployment, pods).isRolledOut
  }
}

function warningOf(event: KubeEvent, atMs: number): readonly WarningView[] {
  if (event.type !== 'Warning') return []
  const { series, lastTimestamp, eventTime, firstTimestamp, metadata } = event
  const last = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? metadata.creationTimestamp
  const lastMs = timeMs(last ?? undefined)
  if (lastMs === undefined || atMs - lastMs > WARNINGS_MS) return []
  return [
    { reason: event.reason ?? '', message: event.message ?? '', count: series?.count ?? event.count ?? 1, lastMs }
  ]
}
