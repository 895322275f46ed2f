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
  /** Time during which a record was older than two minutes before it was in a table. */
  readonly behindSeconds: number
  readonly consumerHours: number
  /** Records that came and that are in tables or wait: equal, or the model lies. */
  readonly arrived: number
  readonly written: number
}

/** Runs each rule through the same day, with a group of its own. */
export function runDays(rules: readonly ScalingRule[], seed: number): readonly Day[] {
  const traffic = trafficOf(seed)
  const runs = rules.map(rule => new Run(rule))
  const arrivedBy = new Float64Array(DAY_SECONDS)
  let arrived = 0
  for (let second = 0; second < DAY_SECONDS; second++) {
    const records = traffic(second)
    arrived += sum(records)
    arrivedBy[second] = arrived
    for (const run of runs) run.step(second, records, arrivedBy)
  }
  return runs.map(run => run.day(arrived))
}

class Run {
  readonly #rule: ScalingRule
  readonly #group = new Group()
  readonly #points: Point[] = []
  /** The second in which the oldest record came that is in no table. */
  #oldest = 0
  #changes = 0
  #podSeconds = 0
  #mostLag = 0
  #behindSeconds = 0
  #pointLag = 0

  constructor(rule: ScalingRule) {
    this.#rule = rule
    this.#group.scaleTo(1, 0)
  }

  step(second: number, records: Float64Array, arrivedBy: Float64Array): void {
    const group = this.#group
    if (isRolledAt(second)) group.roll(second)
    group.step(second, records, sinkRate(second), areBrokersAway(second))
    if (second % LOOK_SECONDS === 0) this.#look(second)
    const arrived = arrivedBy[second] ?? 0
    const written = sum(group.committed)
    while (this.#oldest < second && (arrivedBy[this.#oldest] ?? 0) <= written + 1) this.#oldest++
    if (arrived - written >= 1 && second - this.#oldest > BEHIND_SECONDS) this.#behindSeconds++
    this.#podSeconds += group.pods
    this.#pointLag = Math.max(this.#pointLag, arrived - written)
    this.#mostLag = Math.max(this.#mostLag, arrived - written)
    if (second % POINT_SECONDS === POINT_SECONDS - 1) this.#point(second, arrived, arrivedBy)
  }

  #look(second: number): void {
    const wanted = this.#rule.decide(this.#group, second, areBrokersAway(second))
    if (wanted === undefined || wanted === this.#group.pods) return
    this.#changes++
    this.#group.scaleTo(wanted, second)
  }

  #point(second: number, arrived: number, arrivedBy: Float64Array): void {
    const arrival = (arrived - (arrivedBy[second - POINT_SECONDS] ?? 0)) / POINT_SECONDS
    const { pods, rebalances } = this.#group
    this.#points.push({ second, arrival, lag: this.#pointLag, replicas: pods, rebalances })
    this.#pointLag = 0
  }

  day(arrived: number): Day {
    return {
      rule: this.#rule.name,
      points: this.#points,
      changes: this.#changes,
      rebalances: this.#group.rebalances,
      mostLag: this.#mostLag,
      behindSeconds: this.#behindSeconds,
      consumerHours: this.#podSeconds / 3600,
      arrived,
      written: sum(this.#group.committed)
    }
  }
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
