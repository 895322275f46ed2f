/** Seeds that once failed, and what was wrong then. */
export const KEPT_SEEDS: readonly { readonly seed: number; readonly why: string }[] = [
  { seed: 1228, why: 'a report to the group that failed was not made again' },
  { seed: 772878075, why: 'a report that the group refused in a rebalance was not made again' }
]
