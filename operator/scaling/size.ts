import type { BronzePipelineStatus, ScalingStatus } from '../../crds/pipeline.ts'
import type { SettledLagScaling } from '../../crds/settled-scaling.ts'
import type { SettledPipeline } from '../../crds/settled.ts'
import type { SourceView } from '../facts.ts'
import { partitionsOf } from '../source/partitions.ts'
import type { Workload } from '../objects/workload.ts'
import { decideByLag, type LagView } from './by-lag.ts'
import { memoryOf, statusOfMemory } from './memory.ts'
import type { ScalingReason } from './reason.ts'
import { countsWithin } from './useful-counts.ts'
import { longestWaitMs } from './waits.ts'

/** How many consumers a pipeline should have, and why. */
export interface Sizing {
  /** Undefined: not known yet, leave what runs as it is. */
  readonly replicas: number | undefined
  readonly reason: ScalingReason
  /** What the reason is about: a partition. */
  readonly about?: string | undefined
  /** Why the number changes, with figures: for an event. */
  readonly cause?: string | undefined
  /** What is to be remembered, once the number is applied. */
  readonly state?: ScalingStatus | undefined
  /** When time alone may change the answer. */
  readonly lookAgainMs?: number | undefined
}

export interface SizingView {
  readonly settled: SettledPipeline
  readonly source: SourceView
  readonly workload: Workload
  /** As it is written. */
  readonly status: BronzePipelineStatus
  /** All that was to be read is in the tables. */
  readonly isCompleted?: boolean | undefined
  readonly nowMs: number
}

/**
 * The consumers that a pipeline should have. More than one per partition would idle, so none of our modes asks for that;
 * `External` is followed as it is set: whoever sets it may have a reason (standby consumers).
 */
export function sizeOf({ settled, source, workload, status, isCompleted, nowMs }: SizingView): Sizing {
  const { scaling } = settled
  if (settled.suspend) return { replicas: 0, reason: 'Suspended', state: asleep(scaling.mode, status) }
  if (isCompleted === true) return { replicas: 0, reason: 'Completed', state: asleep(scaling.mode, status) }
  if (scaling.mode === 'External') return { replicas: scaling.replicas, reason: 'External' }
  const partitions = partitionsOf(source.lag, status.partitions)
  if (partitions === undefined) return { replicas: undefined, reason: 'Held', state: status.scaling }
  if (scaling.mode === 'Partitions') {
    const wanted = Math.ceil(partitions / scaling.partitionsPerReplica)
    return wanted > scaling.maxReplicas
      ? { replicas: scaling.maxReplicas, reason: 'AtMaxReplicas' }
      : { replicas: wanted, reason: 'Partitions' }
  }
  const { memory, hottest, ...decision } = decideByLag(
    lagView(settled, scaling, partitions, { source, workload, status }),
    nowMs
  )
  return { ...decision, about: hottest, state: statusOfMemory(memory) }
}

/** What is measured of consumers stays true while none runs. */
function asleep(
  mode: SettledPipeline['scaling']['mode'],
  { scaling }: BronzePipelineStatus
): ScalingStatus | undefined {
  if (mode !== 'Lag') return undefined
  const { capacity } = memoryOf(scaling)
  return statusOfMemory({ capacity, ineffectiveTries: 0 })
}

function lagView(
  settled: SettledPipeline,
  scaling: SettledLagScaling,
  partitions: number,
  { source, workload, status }: Pick<SizingView, 'source' | 'workload' | 'status'>
): LagView {
  const { group, lag, rates, trouble } = source
  return {
    scaling,
    triggerMs: longestWaitMs(settled),
    partitions,
    areTopicsThere: lag !== undefined && lag.entries.every(({ missing }) => missing === undefined),
    current: workload.wanted,
    isRolledOut: workload.isRolledOut && workload.ready === workload.wanted,
    group:
      group === undefined || group.state === 'Unknown'
        ? undefined
        : { isStable: group.state === 'Stable', members: group.members },
    rates,
    hasSourceTrouble: trouble !== undefined,
    hasSinkTrouble: lag?.entries.some(({ sinkError }) => sinkError !== undefined) === true,
    memory: memoryOf(status.scaling)
  }
}

/**
 * Consumers for as long as nobody looks at the lag: as many as are of use. Undefined while the number of partitions is not
 * known.
 */
export function replicasFor({ scaling, suspend }: SettledPipeline, partitions: number | undefined): number | undefined {
  if (suspend) return 0
  if (scaling.mode === 'External') return scaling.replicas
  if (partitions === undefined) return undefined
  if (scaling.mode === 'Lag') return countsWithin(partitions, 1, scaling.maxReplicas).at(-1) ?? 0
  return Math.min(scaling.maxReplicas, Math.ceil(partitions / scaling.partitionsPerReplica))
}
