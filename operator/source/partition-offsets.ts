/** What the cluster says of one partition. Absent offsets could not be had (a broker is down, the group holds nothing). */
export interface PartitionOffsets {
  readonly topic: string
  readonly partition: number
  /** The next offset to read, as the group holds it, asked for before the two below. */
  readonly committed: number | undefined
  /** The metadata string of that commit. */
  readonly metadata: string
  readonly logStart: number | undefined
  /** First offset that a reader of committed records cannot have yet. */
  readonly lastStable: number | undefined
}

/** Records that are missing; undefined when it cannot be said. */
export function recordsOf(committed?: number, logStart?: number, lastStable?: number): number | undefined {
  if (logStart === undefined || lastStable === undefined) return undefined
  if (lastStable <= logStart) return committed === undefined || committed <= lastStable ? 0 : undefined
  if (committed === undefined || committed > lastStable) return undefined
  return lastStable - Math.max(committed, logStart)
}
