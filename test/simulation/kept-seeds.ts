import type { SinkKind } from './tables.ts'

/** Seeds that once failed, and what was wrong then. */
export const KEPT_SEEDS: readonly { readonly seed: number; readonly sink: SinkKind; readonly why: string }[] = [
  { seed: 1228, sink: 'delta', why: 'a report to the group that failed was not made again' },
  { seed: 772878075, sink: 'delta', why: 'a report that the group refused in a rebalance was not made again' },
  { seed: 30892003, sink: 'iceberg', why: 'an earlier owner’s late report stood for ever over that of the owner' }
]
