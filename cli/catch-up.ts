import type { PartitionOffsets } from '../operator/source/partition-offsets.ts'
import { lagOf, partitionKey, type LagSample } from './lag.ts'
import type { Progress } from './status.ts'

/** The rate is that of the last samples within this time. */
const RATE_WINDOW_MS = 10_000

interface Point {
  readonly atMs: number
  /** Sum of the next offsets of all partitions. */
  readonly offsets: number
}

/** Follows the tables from where they stand to where the topics ended when the run began. */
export class CatchUp {
  readonly #named: readonly string[]
  #targets: ReadonlyMap<string, number> | undefined
  #first: Point | undefined
  #recent: readonly Point[] = []

  /** `named` are the topics that the pipeline names: one that is not there yet is not caught up with. */
  constructor(named: readonly string[]) {
    this.#named = named
  }

  observe({ offsets, lag: { atMs } }: LagSample): void {
    this.#targets ??= targetsOf(offsets, this.#named)
    const sum = offsets.reduce((sum, { committed, logStart }) => sum + Math.max(committed ?? 0, logStart ?? 0), 0)
    const point = { atMs, offsets: sum }
    this.#first ??= point
    this.#recent = [...this.#recent.filter(recent => atMs - recent.atMs <= RATE_WINDOW_MS), point]
  }

  /** Whether all that the topics held when the run began is in the tables, as far as the group was told. */
  isReported(sample: LagSample): boolean {
    return this.#isEach(sample, (partition, target) => {
      const lag = lagOf(partition)
      return lag === 0 || (lag !== undefined && (partition.committed ?? 0) >= target)
    })
  }

  /**
   * Whether the consumers of this run have read as far, by what they say of themselves: what the group was told may be
   * old news about a table that stands elsewhere now. What they have read and not yet committed, a clean stop commits.
   * Partitions that none of them has are with other members of the group, if it has any: there the report must do.
   */
  isRead(sample: LagSample, fetchLags: ReadonlyMap<string, number>, hasOthers: boolean): boolean {
    return this.#isEach(sample, (partition, target) => {
      const fetchLag = fetchLags.get(partitionKey(partition))
      if (fetchLag === undefined) return hasOthers
      return fetchLag <= Math.max(0, (partition.lastStable ?? 0) - target)
    })
  }

  /** A partition that is gone since the start is for the consumers to judge. */
  #isEach({ offsets }: LagSample, isReached: (partition: PartitionOffsets, target: number) => boolean): boolean {
    const targets = this.#targets
    if (targets === undefined) return false
    return offsets.every(partition => {
      const target = targets.get(partitionKey(partition))
      return target === undefined || isReached(partition, target)
    })
  }

  /** Undefined while the lag is unknown. */
  progress({ lag: { lag: toGo } }: LagSample): Progress | undefined {
    const [last, first] = [this.#recent.at(-1), this.#first]
    if (last === undefined || first === undefined || toGo === undefined) return undefined
    const done = Math.max(0, last.offsets - first.offsets)
    const earliest = this.#recent[0] ?? last
    const seconds = (last.atMs - earliest.atMs) / 1000
    return {
      fraction: toGo === 0 ? 1 : done / (done + toGo),
      toGo,
      recordsPerSecond: seconds > 0 ? Math.max(0, last.offsets - earliest.offsets) / seconds : undefined
    }
  }
}

/** Undefined until every partition's end is known, and every named topic is there. */
function targetsOf(offsets: readonly PartitionOffsets[], named: readonly string[]): Map<string, number> | undefined {
  const topics = new Set(offsets.map(({ topic }) => topic))
  if (!named.every(topic => topics.has(topic))) return undefined
  const targets = new Map<string, number>()
  for (const partition of offsets) {
    if (partition.lastStable === undefined) return undefined
    targets.set(partitionKey(partition), partition.lastStable)
  }
  return targets
}
