import type { SettledPipeline } from '../../crds/settled.ts'

/** How many consumers a pipeline should have, and why. `replicas` undefined: not known yet, leave what runs as it is. */
export interface Sizing {
  readonly replicas: number | undefined
  readonly reason: 'Partitions' | 'AtMaxReplicas' | 'External' | 'Held' | 'Suspended'
}

/**
 * The consumers that a pipeline of so many partitions should have. More than one per partition would idle, so
 * `External` is followed as it is set: whoever sets it may have a reason (standby consumers).
 */
export function sizeOf({ scaling, suspend }: SettledPipeline, partitions: number | undefined): Sizing {
  if (suspend) return { replicas: 0, reason: 'Suspended' }
  if (scaling.mode === 'External') return { replicas: scaling.replicas, reason: 'External' }
  if (partitions === undefined) return { replicas: undefined, reason: 'Held' }
  const wanted = Math.ceil(partitions / (scaling.mode === 'Lag' ? 1 : scaling.partitionsPerReplica))
  return wanted > scaling.maxReplicas
    ? { replicas: scaling.maxReplicas, reason: 'AtMaxReplicas' }
    : { replicas: wanted, reason: 'Partitions' }
}

/** `sizeOf` without the reason: undefined while the number of partitions is not known. */
export function replicasFor(pipeline: SettledPipeline, partitions: number | undefined): number | undefined {
  return sizeOf(pipeline, partitions).replicas
}
