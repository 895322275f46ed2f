import { flawOf, partitionPlans, type Workload } from './workload.ts'

/** What must have become of one partition's records. */
export interface Expectation {
  readonly topic: string
  readonly partition: number
  /** Offsets 0 to `records` - 1 were produced. */
  readonly records: number
  /** Those that belong into the dead letters, ascending; all others belong into the table. */
  readonly flawed: readonly number[]
}

export const expectationOf = (workload: Workload): Expectation[] =>
  partitionPlans(workload).map(plan => ({
    topic: plan.topic,
    partition: plan.partition,
    records: plan.records,
    flawed: Array.from({ length: plan.records }, (_, offset) => offset).filter(
      offset => flawOf(workload.seed, plan, offset) !== undefined
    )
  }))
