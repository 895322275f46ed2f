import type { PartitionRate, Rates } from './rates.ts'

/** What the partitions ask of consumers, records per second: what arrives, and the backlog over the catch-up time. */
export interface Demand {
  readonly partitions: number
  readonly arrival: number
  readonly drain: number
  /** Arrival and backlog of all partitions. */
  readonly needed: number
  /** The most that one partition needs, and the most that arrives at one. */
  readonly hottest: { readonly name: string; readonly needed: number; readonly arrival: number }
  /** Partitions where more waited, at every look of the window, than waits between two commits. */
  readonly loaded: { readonly partitions: number; readonly drain: number }
  /** Records that wait. */
  readonly lag: number
}

/** Slack beside two trigger intervals: an upload, a commit and the report of it. */
const COMMIT_SECONDS = 2

export function demandOf({ partitions }: Rates, triggerMs: number, catchUpMs: number): Demand {
  const usualSeconds = (2 * triggerMs) / 1000 + COMMIT_SECONDS
  let [arrival, drain, needed, lag] = [0, 0, 0, 0]
  let hottest = { name: '', needed: 0, arrival: 0 }
  const loaded = { partitions: 0, drain: 0 }
  for (const part of partitions) {
    const usual = part.arrival * usualSeconds
    const own = part.arrival + Math.max(0, (part.lag ?? 0) - usual) / (catchUpMs / 1000)
    arrival += part.arrival
    drain += part.drain
    needed += own
    lag += part.lag ?? 0
    if (own > hottest.needed) hottest = { ...hottest, name: nameOf(part), needed: own }
    hottest = { ...hottest, arrival: Math.max(hottest.arrival, part.arrival) }
    if ((part.leastLag ?? 0) <= usual) continue
    loaded.partitions++
    loaded.drain += part.drain
  }
  return { partitions: partitions.length, arrival, drain, needed, hottest, loaded, lag }
}

const nameOf = ({ topic, partition }: PartitionRate) => `${topic}-${partition}`

/**
 * What one consumer writes, records per second, from what consumers under load write; undefined when none is. A consumer under
 * load has a backlog on all its partitions, so the number of partitions with one tells how many such consumers there are.
 */
export function measuredCapacity({ partitions, loaded }: Demand, consumers: number): number | undefined {
  if (loaded.partitions === 0 || loaded.drain <= 0) return undefined
  const busy = Math.round((loaded.partitions * consumers) / partitions)
  return loaded.drain / Math.min(consumers, Math.max(1, busy))
}

/** The busiest consumer may have so much more than the hottest partition alone, which no number of consumers makes less. */
const SKEW_TOLERANCE = 1.2

/**
 * Whether so many consumers are enough when each writes `capacity` records per second, of which they are to use the share
 * `use`. What counts is the busiest one: it has the hottest partition, and its share of the others. When that partition alone
 * is too much, enough is what brings the busiest consumer near it: more would not help.
 */
export function areEnough(demand: Demand, consumers: number, capacity: number, use: number): boolean {
  const { needed, arrival, hottest } = demand
  const limit = capacity * use
  const busiest = busiestOf(demand.partitions, consumers, needed, hottest.needed)
  const busiestArrival = busiestOf(demand.partitions, consumers, arrival, hottest.arrival)
  return (
    busiest <= Math.max(limit, SKEW_TOLERANCE * hottest.needed) &&
    busiestArrival <= (hottest.arrival <= capacity ? limit : SKEW_TOLERANCE * hottest.arrival)
  )
}

function busiestOf(partitions: number, consumers: number, total: number, hottest: number): number {
  if (partitions <= 1) return total
  const others = Math.ceil(partitions / consumers) - 1
  return hottest + (others * (total - hottest)) / (partitions - 1)
}
