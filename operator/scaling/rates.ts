import { recordsOf, type PartitionOffsets } from '../source/partition-offsets.ts'

/** What was seen of a group beside its offsets. */
export interface GroupSight {
  /** Undefined when the group was not asked about. */
  readonly members: number | undefined
  readonly isStable: boolean
}

/** How fast one partition grows and is written. */
export interface PartitionRate {
  readonly topic: string
  readonly partition: number
  /** Records per second that came. */
  readonly arrival: number
  /** Records per second that the tables took. */
  readonly drain: number
  /** Records that wait now; undefined is unknown, which is never 0. */
  readonly lag: number | undefined
  /** Fewest records that waited at any look of the window; undefined when it was unknown once. */
  readonly leastLag: number | undefined
  /** Whether the group holds an offset of it. */
  readonly isCommitted: boolean
}

/** What several looks at a pipeline's offsets tell. */
export interface Rates {
  readonly atMs: number
  /** Time that figures should cover before they are relied upon. */
  readonly windowMs: number
  /** Time that they do cover. */
  readonly spanMs: number
  /** How long the group has been stable with the same number of members, as far as was looked. */
  readonly steadyMs: number
  readonly partitions: readonly PartitionRate[]
}

interface Sample {
  readonly atMs: number
  /** Places of the partitions in the arrays; the same object while they are the same. */
  readonly keys: ReadonlyMap<string, number>
  /** NaN is unknown, in all three. */
  readonly ends: Float64Array
  readonly committed: Float64Array
  readonly lags: Float64Array
}

/** Samples of one window, oldest first: at most `MOST_SAMPLES`, 24 bytes per partition each. */
export interface RateHistory {
  readonly windowMs: number
  readonly samples: readonly Sample[]
  readonly steadySinceMs: number
  readonly members: number | undefined
}

const MOST_SAMPLES = 8

/**
 * The history with one more look. It begins anew after a gap of more than a window: what came in between is not known to have
 * come evenly.
 */
export function nextRates(
  before: RateHistory | undefined,
  offsets: readonly PartitionOffsets[],
  atMs: number,
  { windowMs, group }: { readonly windowMs: number; readonly group: GroupSight }
): RateHistory {
  const newest = before?.samples.at(-1)
  const isContinued =
    before !== undefined && newest !== undefined && atMs - newest.atMs <= windowMs && atMs > newest.atMs
  const { members = before?.members } = group
  const isSteady = isContinued && group.isStable && (before.members === undefined || before.members === members)
  return {
    windowMs,
    samples: [...(isContinued ? keptOf(before.samples, atMs, windowMs) : []), sampleOf(offsets, atMs, newest?.keys)],
    steadySinceMs: isSteady ? before.steadySinceMs : atMs,
    members
  }
}

/** What is needed of former samples: one that is at least a window old, and of those since only so many. */
function keptOf(samples: readonly Sample[], atMs: number, windowMs: number): readonly Sample[] {
  const lastOld = samples.findLastIndex(sample => atMs - sample.atMs >= windowMs)
  const within = samples.slice(Math.max(0, lastOld))
  const spacingMs = windowMs / (MOST_SAMPLES - 2)
  // The last one may go when it is close to the one before it; the new sample stands for both.
  const [secondLast, last] = within.slice(-2)
  const isClose = secondLast !== undefined && last !== undefined && last.atMs - secondLast.atMs < spacingMs
  return isClose ? within.slice(0, -1) : within
}

function sampleOf(
  offsets: readonly PartitionOffsets[],
  atMs: number,
  known: ReadonlyMap<string, number> | undefined
): Sample {
  const names = offsets.map(({ topic, partition }) => `${topic}/${partition}`)
  const isKnown = known?.size === names.length && names.every((name, index) => known.get(name) === index)
  return {
    atMs,
    keys: isKnown ? known : new Map(names.map((name, index) => [name, index])),
    ends: Float64Array.from(offsets, ({ lastStable }) => lastStable ?? NaN),
    committed: Float64Array.from(offsets, ({ committed }) => committed ?? NaN),
    lags: Float64Array.from(
      offsets,
      ({ committed, logStart, lastStable }) => recordsOf(committed, logStart, lastStable) ?? NaN
    )
  }
}

export function ratesOf({ samples, windowMs, steadySinceMs }: RateHistory): Rates | undefined {
  const [oldest, newest] = [samples[0], samples.at(-1)]
  if (oldest === undefined || newest === undefined) return undefined
  const partitions = [...newest.keys].map(([key, index]): PartitionRate => {
    const slash = key.lastIndexOf('/')
    const seen = samples.map(sample => ({ sample, index: sample.keys.get(key) }))
    const leastLag = seen.reduce((least, { sample, index }) => Math.min(least, at(sample.lags, index, 0)), Infinity)
    return {
      topic: key.slice(0, slash),
      partition: Number(key.slice(slash + 1)),
      arrival: perSecond(seen.map(({ sample, index }) => [sample.atMs, at(sample.ends, index, NaN)] as const)),
      drain: perSecond(seen.map(({ sample, index }) => [sample.atMs, at(sample.committed, index, NaN)] as const)),
      lag: known(newest.lags[index]),
      leastLag: known(leastLag),
      isCommitted: known(newest.committed[index]) !== undefined
    }
  })
  const spanMs = newest.atMs - oldest.atMs
  return { atMs: newest.atMs, windowMs, spanMs, steadyMs: newest.atMs - steadySinceMs, partitions }
}

/** A partition that was not there yet is `absent`. */
const at = (values: Float64Array, index: number | undefined, absent: number): number =>
  index === undefined ? absent : (values[index] ?? absent)

const known = (value: number | undefined): number | undefined =>
  value === undefined || Number.isNaN(value) ? undefined : value

/**
 * Growth per second from the oldest figure since which it was always known and never went back: offsets go back when a topic
 * is created anew, or when somebody sets them.
 */
function perSecond(series: readonly (readonly [atMs: number, offset: number])[]): number {
  const [lastMs, last] = series.at(-1) ?? [0, NaN]
  if (Number.isNaN(last)) return 0
  let [firstMs, first] = [lastMs, last]
  for (const [atMs, offset] of series.toReversed()) {
    if (!(offset <= first)) break
    ;[firstMs, first] = [atMs, offset]
  }
  return lastMs === firstMs ? 0 : (1000 * (last - first)) / (lastMs - firstMs)
}
