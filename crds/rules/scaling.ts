import { parseDurationMs } from '../../lib/duration.ts'
import type { ScalingSpec } from '../pipeline.ts'
import { isBetween, rule, type RuleEntry } from './rule.ts'

const DEFAULT_MAX_REPLICAS = 16

export const scalingRules: readonly RuleEntry[] = [
  rule<ScalingSpec>(
    'replicas is required with mode External, and refused with the others',
    self => (self.replicas !== undefined) === (self.mode === 'External')
  ),
  rule<ScalingSpec>(
    'partitionsPerReplica goes with mode Partitions only',
    self => self.mode === 'Partitions' || self.partitionsPerReplica === undefined
  ),
  rule<ScalingSpec>(
    'maxReplicas goes with modes Partitions and Lag only: with External whoever sets replicas bounds them',
    self => self.mode !== 'External' || self.maxReplicas === undefined
  ),
  rule<ScalingSpec>(
    'minReplicas, catchUpTime, stabilizationTime and idleTime go with mode Lag only',
    ({ mode, minReplicas, catchUpTime, stabilizationTime, idleTime }) =>
      mode === 'Lag' || [minReplicas, catchUpTime, stabilizationTime, idleTime].every(field => field === undefined)
  ),
  rule<ScalingSpec>(
    'minReplicas may not be larger than maxReplicas, which is 16 when absent',
    self => (self.minReplicas ?? 0) <= (self.maxReplicas ?? DEFAULT_MAX_REPLICAS)
  ),
  rule<ScalingSpec>(
    'idleTime goes with minReplicas 0 only: otherwise consumers always run',
    self => self.idleTime === undefined || self.minReplicas === 0
  ),
  ...['catchUpTime', 'stabilizationTime', 'idleTime'].map(field =>
    rule<string>(
      `${field} must lie between 1s and 24h`,
      self => !self.includes('d') && isBetween(parseDurationMs(self), 1000, 86_400_000)
    )
  )
]
