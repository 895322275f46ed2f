import { isWell, type EndView, type PipelineView, type PodView } from './view.ts'

/** For programs: one object. Its shape is documented in docs/cli.md and only ever grows; an unknown figure is null. */
export function viewJson(view: PipelineView): object {
  const { atMs, pipeline, ready, pods, wanted, scaling, rollout, warnings, outdated } = view
  const { metadata, status = {} } = pipeline
  const { conditions = [], summary = {}, topics = [], topicsOmitted = 0, plan } = status
  return {
    time: timeOf(atMs),
    namespace: metadata.namespace ?? null,
    name: metadata.name,
    well: isWell(view),
    ready: ready?.status ?? 'Unknown',
    reason: ready?.reason ?? null,
    message: ready?.message ?? null,
    outdated: outdated ?? null,
    generation: metadata.generation ?? null,
    observedGeneration: status.observedGeneration ?? null,
    summary,
    conditions,
    pods: pods?.map(podJson) ?? null,
    topics,
    topicsOmitted,
    scaling: {
      replicas: status.replicas ?? null,
      wanted: wanted ?? null,
      reason: scaling?.reason ?? null,
      message: scaling?.message ?? null
    },
    rollout: rollout === undefined ? null : { ...rollout, revision: rollout.revision ?? null },
    warnings: warnings?.map(({ lastMs, ...warning }) => ({ ...warning, lastTime: timeOf(lastMs) })) ?? null,
    plan: plan ?? null
  }
}

function podJson({ partitions, startedMs, config, lastEnd, ...pod }: PodView): object {
  return {
    ...pod,
    partitions: partitions ?? null,
    startedTime: startedMs === undefined ? null : timeOf(startedMs),
    config: config ?? null,
    lastEnd: lastEnd === undefined ? null : endJson(lastEnd)
  }
}

const endJson = ({ reason, exitCode, atMs, message }: EndView): object => ({
  reason,
  exitCode,
  time: atMs === undefined ? null : timeOf(atMs),
  message
})

const timeOf = (ms: number): string => new Date(ms).toISOString()
