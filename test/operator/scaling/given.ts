import type { SettledLagScaling } from '../../../crds/settled-scaling.ts'
import type { LagView } from '../../../operator/scaling/by-lag.ts'
import type { PartitionRate, Rates } from '../../../operator/scaling/rates.ts'

export const NOW = Date.parse('2026-06-01T12:00:00Z')
export const MINUTE = 60_000

export const aScaling = (change: Partial<SettledLagScaling> = {}): SettledLagScaling => ({
  mode: 'Lag',
  minReplicas: 1,
  maxReplicas: 1000,
  catchUpMs: 10 * MINUTE,
  stabilizationMs: 10 * MINUTE,
  idleMs: 10 * MINUTE,
  ...change
})

/** All partitions alike: `arrival`, `drain` and `lag` are those of all together. */
export function someRates(
  partitions: number,
  {
    arrival = 0,
    drain = 0,
    lag = 0,
    leastLag = lag
  }: Partial<Record<'arrival' | 'drain' | 'lag' | 'leastLag', number>>,
  change: Partial<Rates> = {}
): Rates {
  const parts = Array.from({ length: partitions }, (_, partition): PartitionRate => ({
    topic: 'trips',
    partition,
    arrival: arrival / partitions,
    drain: drain / partitions,
    lag: lag / partitions,
    leastLag: leastLag / partitions,
    isCommitted: true
  }))
  return { atMs: NOW, windowMs: MINUTE, spanMs: MINUTE, steadyMs: 10 * MINUTE, partitions: parts, ...change }
}

export const withPartition = (rates: Rates, index: number, change: Partial<PartitionRate>): Rates => ({
  ...rates,
  partitions: rates.partitions.map((part, at) => (at === index ? { ...part, ...change } : part))
})

/** A dozen partitions and two consumers at peace, each of which was seen to write 1,000 records per second. */
export function aView(change: Partial<LagView> = {}): LagView {
  const { current = 2 } = change
  return {
    scaling: aScaling(),
    triggerMs: 10_000,
    partitions: 12,
    areTopicsThere: true,
    current,
    isRolledOut: true,
    group: { isStable: true, members: current },
    rates: someRates(change.partitions ?? 12, { arrival: 1500, drain: 1500 }),
    hasSourceTrouble: false,
    hasSinkTrouble: false,
    memory: { ineffectiveTries: 0, lastChangeMs: NOW - 60 * MINUTE, capacity: { perSecond: 1000, atMs: NOW - 5000 } },
    ...change
  }
}
