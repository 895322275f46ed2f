import type { ScalingStatus } from '../../crds/pipeline.ts'
import { decideByLag } from '../../operator/scaling/by-lag.ts'
import { memoryOf, statusOfMemory } from '../../operator/scaling/memory.ts'
import { nextRates, ratesOf, type RateHistory } from '../../operator/scaling/rates.ts'
import type { ScalingReason } from '../../operator/scaling/reason.ts'
import type { Group } from './group.ts'
import { PARTITIONS, PARTITIONS_PER_TOPIC } from './traffic.ts'

export const MAX_REPLICAS = 12

/** Says how many consumers there should be, each time the group is looked at; undefined: as many as there are. */
export interface ScalingRule {
  readonly name: string
  decide(group: Group, second: number, areBrokersAway: boolean): number | undefined
}

const LOOK_MS = 15_000
const TRIGGER_MS = 10_000
const SCALING = {
  mode: 'Lag',
  minReplicas: 0,
  maxReplicas: MAX_REPLICAS,
  catchUpMs: 600_000,
  stabilizationMs: 600_000,
  idleMs: 600_000
} as const

/** `mode: Lag` as the operator runs it, with everything left at its default but `minReplicas: 0` and `maxReplicas: 12`. */
export class LagRule implements ScalingRule {
  readonly name = 'mode: Lag'
  readonly reasons = new Set<ScalingReason>()
  #history: RateHistory | undefined
  /** Only what a status holds lives on from one look to the next, as after a change of leader. */
  #status: ScalingStatus | undefined

  decide(group: Group, second: number, areBrokersAway: boolean): number | undefined {
    const nowMs = second * 1000
    const seen = { members: group.joined(second), isStable: group.isStable(second) }
    if (!areBrokersAway) {
      this.#history = nextRates(this.#history, offsetsOf(group), nowMs, { windowMs: 4 * LOOK_MS, group: seen })
    }
    const decision = decideByLag(
      {
        scaling: SCALING,
        triggerMs: TRIGGER_MS,
        partitions: PARTITIONS,
        areTopicsThere: true,
        current: group.pods,
        isRolledOut: group.joined(second) === group.pods,
        group: seen,
        rates: this.#history && ratesOf(this.#history),
        hasSourceTrouble: areBrokersAway,
        hasSinkTrouble: false,
        memory: memoryOf(this.#status)
      },
      nowMs
    )
    this.#status = statusOfMemory(decision.memory)
    this.reasons.add(decision.reason)
    return decision.replicas
  }
}

function offsetsOf({ ends, committed }: Group) {
  return Array.from(ends, (lastStable, index) => ({
    topic: `topic-${Math.floor(index / PARTITIONS_PER_TOPIC)}`,
    partition: index % PARTITIONS_PER_TOPIC,
    committed: Math.floor(committed[index]!),
    metadata: '',
    logStart: 0,
    lastStable: Math.floor(lastStable)
  }))
}

const TOLERANCE = 0.1
const DOWN_STABILIZATION_SECONDS = 300
const IDLE_SECONDS = 300

/**
 * What HorizontalPodAutoscaler makes of the average lag per consumer with its default behaviour (10 % tolerance; up at once, by at
 * most 100 % or four pods each 15 s; down to the most that was wanted in five minutes), with the last step to none and the
 * first from none as KEDA does them.
 */
export class AverageLagRule implements ScalingRule {
  readonly name: string
  readonly #recordsPerReplica: number
  readonly #wanted: { readonly second: number; readonly replicas: number }[] = []
  #activeAt = 0

  constructor(name: string, recordsPerReplica: number) {
    this.name = name
    this.#recordsPerReplica = recordsPerReplica
  }

  decide(group: Group, second: number, areBrokersAway: boolean): number | undefined {
    if (areBrokersAway) return undefined
    const lag = group.ends.reduce(
      (sum, end, index) => sum + Math.max(0, Math.floor(end) - Math.floor(group.committed[index]!)),
      0
    )
    if (lag > 0) this.#activeAt = second
    const current = group.pods
    if (current === 0) return lag > 0 ? 1 : undefined
    if (second - this.#activeAt >= IDLE_SECONDS) return 0
    const ratio = lag / current / this.#recordsPerReplica
    const exact = Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(lag / this.#recordsPerReplica)
    const wanted = Math.min(MAX_REPLICAS, PARTITIONS, Math.max(1, exact))
    this.#wanted.push({ second, replicas: wanted })
    while (this.#wanted[0]!.second <= second - DOWN_STABILIZATION_SECONDS) this.#wanted.shift()
    if (wanted > current) return Math.min(wanted, Math.max(2 * current, current + 4))
    return Math.min(current, Math.max(...this.#wanted.map(({ replicas }) => replicas)))
  }
}
