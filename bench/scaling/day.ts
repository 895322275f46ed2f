import { Group } from './group.ts'
import type { ScalingRule } from './rules.ts'
import { areBrokersAway, DAY_SECONDS, isRolledAt, sinkRate, trafficOf } from './traffic.ts'

const LOOK_SECONDS = 15
/** A point of the plot for each. */
const POINT_SECONDS = 60
const BEHIND_SECONDS = 120

export interface Point {
  readonly second: number
  readonly arrival: number
  readonly lag: number
  readonly replicas: number
  /** Since the day began. */
  readonly rebalances: number
}

export interface Day {
  readonly rule: string
  readonly points: readonly Point[]
  readonly changes: number
  readonly rebalances: number
  readonly mostLag: number
  readonly longestBehindSeconds: number
  /** Time during which a record was older than two minutes before it was in a table. */
  readonly behindSeconds: number
  readonly consumerHours: number
  /** Records that came and that are in tables or wait: equal, or the model lies. */
  readonly arrived: number
  readonly written: number
}

/** Runs a rule through the day. */
export function runDay(rule: ScalingRule, seed: number): Day {
  const group = new Group()
  const traffic = trafficOf(seed)
  const points: Point[] = []
  const arrivedBy = new Float64Array(DAY_SECONDS)
  let [arrived, oldest, changes, podSeconds, mostLag, longestBehind, behindSeconds] = [0, 0, 0, 0, 0, 0, 0]
  let [pointArrival, pointLag] = [0, 0]
  group.scaleTo(1, 0)
  for (let second = 0; second < DAY_SECONDS; second++) {
    const records = traffic(second)
    const came = sum(records)
    arrived += came
    arrivedBy[second] = arrived
    if (isRolledAt(second)) group.roll(second)
    group.step(second, records, sinkRate(second), areBrokersAway(second))
    if (second % LOOK_SECONDS === 0) {
      const wanted = rule.decide(group, second, areBrokersAway(second))
      if (wanted !== undefined && wanted !== group.pods) {
        changes++
        group.scaleTo(wanted, second)
      }
    }
    const written = sum(group.committed)
    const lag = arrived - written
    while (oldest < second && arrivedBy[oldest]! <= written + 1) oldest++
    const behind = lag < 1 ? 0 : second - oldest
    mostLag = Math.max(mostLag, lag)
    longestBehind = Math.max(longestBehind, behind)
    if (behind > BEHIND_SECONDS) behindSeconds++
    podSeconds += group.pods
    pointArrival += came / POINT_SECONDS
    pointLag = Math.max(pointLag, lag)
    if (second % POINT_SECONDS === POINT_SECONDS - 1) {
      points.push({ second, arrival: pointArrival, lag: pointLag, replicas: group.pods, rebalances: group.rebalances })
      ;[pointArrival, pointLag] = [0, 0]
    }
  }
  return {
    rule: rule.name,
    points,
    changes,
    rebalances: group.rebalances,
    mostLag,
    longestBehindSeconds: longestBehind,
    behindSeconds,
    consumerHours: podSeconds / 3600,
    arrived,
    written: sum(group.committed)
  }
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
