/** What a roll cost, from what consumers told and what the table's log holds. Pure. */
export interface Commit {
  readonly atMs: number
  readonly partitions: readonly number[]
}

/** Offsets handed to the tables by one fetch: from `from` up to, not including, `next`. */
export interface Fetched {
  readonly partition: number
  readonly from: number
  readonly next: number
}

export interface Joined {
  readonly atMs: number
  readonly generation: number
}

export interface Rolled {
  readonly fromMs: number
  /** All new consumers are ready. */
  readonly readyMs: number
  /** Looked at until then; ingestion has been even again for a while. */
  readonly untilMs: number
  readonly commits: readonly Commit[]
  readonly fetched: readonly Fetched[]
  readonly joined: readonly Joined[]
  readonly partitions: number
}

export interface Figures {
  /** Changes of the group's generation, the one to an empty group included. */
  readonly rebalances: number
  readonly rollSeconds: number
  /** The longest time in which nothing was committed to the table. */
  readonly silentSeconds: number
  /** The longest time in which a partition had no commit. */
  readonly worstPartitionSeconds: number
  /** Of all partitions together, the time beyond the usual between two commits. */
  readonly stalledPartitionSeconds: number
  readonly refetchedRecords: number
}

export function figuresOf(rolled: Rolled): Figures {
  const { fromMs, readyMs, untilMs, commits, joined } = rolled
  const ids = Array.from({ length: rolled.partitions }, (_, id) => id)
  const timesOf = (id: number) => commits.filter(({ partitions }) => partitions.includes(id)).map(({ atMs }) => atMs)
  const usualMs = median(ids.flatMap(id => gaps(timesOf(id).filter(atMs => atMs < fromMs))))
  const during = (times: readonly number[]) => {
    const sorted = times.toSorted((a, b) => a - b)
    const before = sorted.findLast(atMs => atMs < fromMs) ?? fromMs
    return gaps([before, ...sorted.filter(atMs => atMs >= fromMs && atMs <= untilMs)])
  }
  const stalls = ids.map(id => during(timesOf(id)))
  const generations = (until: number) =>
    Math.max(...joined.filter(({ atMs }) => atMs < until).map(({ generation }) => generation))
  return {
    rebalances: generations(Infinity) - generations(fromMs),
    rollSeconds: seconds(readyMs - fromMs),
    silentSeconds: seconds(Math.max(0, ...during(commits.map(({ atMs }) => atMs)))),
    worstPartitionSeconds: seconds(Math.max(0, ...stalls.flat())),
    stalledPartitionSeconds: seconds(sum(stalls.flat().map(gap => Math.max(0, gap - usualMs)))),
    refetchedRecords: refetched(rolled.fetched)
  }
}

/** Records fetched, less those fetched at least once. */
export function refetched(fetched: readonly Fetched[]): number {
  const byPartition = Map.groupBy(fetched, ({ partition }) => partition)
  return sum(
    [...byPartition.values()].map(ranges => {
      let [again, end] = [0, -1]
      for (const { from, next } of ranges.toSorted((a, b) => a.from - b.from)) {
        again += Math.max(0, Math.min(end, next) - from)
        end = Math.max(end, next)
      }
      return again
    })
  )
}

const gaps = (times: readonly number[]): number[] => times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs))
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const seconds = (ms: number): number => Math.round(ms / 100) / 10
