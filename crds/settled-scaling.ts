/** How many consumers run. */
export type SettledScaling =
  | { readonly mode: 'Partitions'; readonly partitionsPerReplica: number; readonly maxReplicas: number }
  | SettledLagScaling
  | { readonly mode: 'External'; readonly replicas: number }

export interface SettledLagScaling {
  readonly mode: 'Lag'
  /** 0: none when idle. */
  readonly minReplicas: number
  readonly maxReplicas: number
  /** The time in which a backlog is to be written. */
  readonly catchUpMs: number
  /** How long fewer consumers must have been enough before there is one step fewer. */
  readonly stabilizationMs: number
  /** How long nothing must have come before no consumer runs; used with `minReplicas` 0. */
  readonly idleMs: number
}
