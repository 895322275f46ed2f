import type { SettledLagScaling } from '../../crds/settled-scaling.ts'
import { twoDigits } from '../../lib/figures.ts'
import { areEnough, demandOf, measuredCapacity, type Demand } from './demand.ts'
import type { ScalingMemory } from './memory.ts'
import type { Rates } from './rates.ts'
import type { ScalingReason } from './reason.ts'
import { countsWithin } from './useful-counts.ts'

/** What the decision is made from. */
export interface LagView {
  readonly scaling: SettledLagScaling
  /** The longest trigger interval of the pipeline: so long records wait in peace. */
  readonly triggerMs: number
  readonly partitions: number
  /** Whether all topics are there: a broker that forgets one for a moment must not cost consumers. */
  readonly areTopicsThere: boolean
  /** Consumers that the Deployment asks for; 0 when there is none. */
  readonly current: number
  /** All consumers are of one kind and ready. */
  readonly isRolledOut: boolean
  /** Undefined when the group was not asked about. */
  readonly group: { readonly isStable: boolean; readonly members: number } | undefined
  /** Undefined until offsets were seen. */
  readonly rates: Rates | undefined
  /** The brokers do not answer as they should now. */
  readonly hasSourceTrouble: boolean
  /** Consumers report that a table cannot be written. */
  readonly hasSinkTrouble: boolean
  readonly memory: ScalingMemory
}

export interface LagDecision {
  /** Undefined: nothing is known that one could begin with. */
  readonly replicas: number | undefined
  readonly reason: ScalingReason
  readonly memory: ScalingMemory
  /** What was decided, with figures, when the number changes. */
  readonly cause?: string
  /** The partition that is too much for one consumer. */
  readonly hottest?: string
  /** When time alone may change the decision. */
  readonly lookAgainMs?: number
}

/** Consumers are made fewer only when those left would be used to no more than this; once it is so, up to the second figure. */
const USE_TO_GO_DOWN = 0.7
const USE_TO_STAY_BELOW = 0.85
/** Consumers that write so much of what one was seen to write are at their limit. */
const USE_AT_LIMIT = 0.85
/** More consumers must bring this share of what they could have brought. */
const LEAST_GAIN = 0.2
const MOST_TRIES = 2
/** After so long more consumers are tried again although they did not help. */
const TRY_AGAIN_MS = 3_600_000
/** Records change: after so long a measured capacity is forgotten and measured anew. */
const CAPACITY_HOLDS_MS = 86_400_000
const NEW_SHARE = 0.5

/** How many consumers a pipeline of mode Lag should have now. Depends on its arguments alone. */
export function decideByLag(remembering: LagView, nowMs: number): LagDecision {
  const view = { ...remembering, memory: until(nowMs, remembering.memory) }
  const { scaling, partitions, current, memory } = view
  const counts = countsWithin(partitions, Math.max(1, scaling.minReplicas), scaling.maxReplicas)
  const [least, most] = [counts[0], counts.at(-1)]
  // Topics that vanished may be back in a moment.
  if (least === undefined || most === undefined)
    return { replicas: current, reason: 'NoPartitions', memory: calm(memory) }
  if (current === 0) return fromNone(view, counts, nowMs)
  const isAbovePartitions = current > partitions && view.areTopicsThere && !view.hasSourceTrouble
  if (current > scaling.maxReplicas || isAbovePartitions) {
    const reason = scaling.maxReplicas < partitions ? 'AtMaxReplicas' : 'AtPartitionCap'
    return { replicas: most, reason, memory: changed(memory, nowMs), cause: `at most ${most} are of use or allowed` }
  }
  if (current < scaling.minReplicas && current < least) {
    return {
      replicas: least,
      reason: 'Sized',
      memory: changed(memory, nowMs),
      cause: 'spec.scaling.minReplicas asks for them'
    }
  }
  return holding(view, nowMs) ?? sized(view, counts, nowMs)
}

/** Times that lie ahead are of a clock that has been set back since: nothing is to wait for them. */
function until(nowMs: number, memory: ScalingMemory): ScalingMemory {
  const past = (ms: number | undefined) => ms && Math.min(ms, nowMs)
  const { lastChangeMs, belowSinceMs, idleSinceMs, capacity } = memory
  return {
    ...memory,
    lastChangeMs: past(lastChangeMs),
    belowSinceMs: past(belowSinceMs),
    idleSinceMs: past(idleSinceMs),
    capacity: capacity && { ...capacity, atMs: Math.min(capacity.atMs, nowMs) }
  }
}

/** No consumer runs: whether some should. */
function fromNone(view: LagView, counts: readonly number[], nowMs: number): LagDecision {
  const { scaling, rates, memory, hasSourceTrouble } = view
  const rest = (reason: ScalingReason) => ({ replicas: 0, reason, memory: calm(memory) })
  const start = (reason: ScalingReason, cause: string) => {
    const demand = rates && demandOf(rates, view.triggerMs, scaling.catchUpMs)
    const replicas = demand === undefined ? counts[0] : (wantedOf(demand, counts, memory) ?? counts[0])
    return { replicas, reason, memory: changed(memory, nowMs), cause }
  }
  if (scaling.minReplicas > 0) return start('Sized', 'spec.scaling.minReplicas asks for them')
  // What is not known cannot be read either while the brokers are away.
  if (hasSourceTrouble || rates === undefined) return rest('LagUnknown')
  if (!rates.partitions.every(isKnown)) return start('LagUnknown', 'what waits is not known while nobody reports')
  // Consumers find out where to begin, which must not wait for the first record: `Latest` would leave that one out.
  if (!rates.partitions.some(({ isCommitted }) => isCommitted)) return start('LagUnknown', 'nothing was ever reported')
  return rates.partitions.some(({ lag }) => lag !== 0) ? start('CatchingUp', 'records wait') : rest('Idle')
}

/** Why nothing may change now, if so. */
function holding(view: LagView, nowMs: number): LagDecision | undefined {
  const { current, memory, rates, group, hasSourceTrouble, hasSinkTrouble, isRolledOut } = view
  const hold = (reason: ScalingReason, kept: ScalingMemory, lookAgainMs?: number) =>
    ({ replicas: current, reason, memory: kept, ...(lookAgainMs === undefined ? {} : { lookAgainMs }) }) as const
  if (hasSourceTrouble) return hold('LagUnknown', calm(memory))
  // An operator that has just started knows less than its memory.
  if (rates === undefined) return hold('Measuring', memory)
  if (!rates.partitions.every(isKnown)) return hold('LagUnknown', calm(memory))
  if (hasSinkTrouble) return hold('SinkFailing', calm(memory))
  if (!isRolledOut) return hold('RollingOut', memory)
  if (group !== undefined && (!group.isStable || group.members < current)) return hold('Rebalancing', memory)
  const changedForMs = nowMs - (memory.lastChangeMs ?? 0)
  const missingMs = rates.windowMs - Math.min(rates.spanMs, rates.steadyMs, changedForMs)
  return missingMs > 0 ? hold('Measuring', memory, missingMs + rates.windowMs / 4) : undefined
}

/** The decision proper: the group is calm, and was so for a whole window. */
function sized(view: LagView, counts: readonly number[], nowMs: number): LagDecision {
  const { scaling, rates, current } = view
  if (rates === undefined) return { replicas: current, reason: 'Measuring', memory: view.memory }
  const demand = demandOf(rates, view.triggerMs, scaling.catchUpMs)
  const memory = learned(judged(view.memory, demand, current, nowMs), demand, current, rates, nowMs)
  const wanted = wantedOf(demand, counts, memory)
  const isStuck = demand.loaded.partitions > 0 && demand.drain === 0
  if (isStuck) return { replicas: current, reason: 'NoProgress', memory: calm(memory) }
  if (wanted !== undefined && wanted > current) return up(view, wanted, demand, memory, nowMs)
  const idleSinceMs = isIdle(view, demand) ? (memory.idleSinceMs ?? nowMs) : undefined
  if (idleSinceMs !== undefined && nowMs - idleSinceMs >= scaling.idleMs) {
    const cause = 'nothing has come for spec.scaling.idleTime'
    return { replicas: 0, reason: 'Idle', memory: changed(memory, nowMs), cause }
  }
  return down(view, counts, demand, { ...memory, idleSinceMs }, nowMs)
}

/** The smallest of these counts that is enough, or the largest; undefined while no consumer was seen at work. */
function wantedOf(demand: Demand, counts: readonly number[], { capacity }: ScalingMemory): number | undefined {
  if (capacity === undefined) return undefined
  return counts.find(count => areEnough(demand, count, capacity.perSecond, 1)) ?? counts.at(-1)
}

/** Whether the last increase helped. When there is nothing left to write, it did. */
function judged(memory: ScalingMemory, demand: Demand, current: number, nowMs: number): ScalingMemory {
  const { attempt, ineffectiveTries, lastChangeMs = 0 } = memory
  if (!isBroad(demand)) {
    // What was measured while more consumers brought nothing was the sink, not the consumers.
    const capacity = ineffectiveTries > 0 ? undefined : memory.capacity
    return { ...memory, attempt: undefined, ineffectiveTries: 0, capacity }
  }
  if (attempt === undefined) {
    // Consumers that write what they can are the limit again, not the sink.
    const isOver = demand.drain >= USE_AT_LIMIT * current * (memory.capacity?.perSecond ?? Infinity)
    const isTimeToTry = ineffectiveTries >= MOST_TRIES && nowMs - lastChangeMs >= TRY_AGAIN_MS
    return { ...memory, ineffectiveTries: isOver ? 0 : isTimeToTry ? MOST_TRIES - 1 : ineffectiveTries }
  }
  const share = (consumers: number) => Math.ceil(demand.partitions / consumers)
  const possible = share(attempt.replicas) / share(current) - 1
  const helped = demand.drain >= attempt.perSecond * (1 + LEAST_GAIN * possible)
  return { ...memory, attempt: undefined, ineffectiveTries: helped ? 0 : ineffectiveTries + 1 }
}

/** With what consumers were now seen to write, once per window. */
function learned(memory: ScalingMemory, demand: Demand, current: number, rates: Rates, nowMs: number): ScalingMemory {
  const isOld = nowMs - (memory.capacity?.atMs ?? nowMs) >= CAPACITY_HOLDS_MS && memory.ineffectiveTries === 0
  const before = isOld ? undefined : memory.capacity
  if (before !== undefined && rates.atMs - before.atMs < rates.windowMs) return memory
  const measured = measuredCapacity(demand, current)
  // What they write without load they could write under load, too.
  const shown = demand.drain / current
  const most = Math.max(measured ?? 0, shown)
  if (before === undefined) {
    return { ...memory, capacity: measured === undefined ? undefined : { perSecond: most, atMs: rates.atMs } }
  }
  // Less than was thought counts only when all are under load, and not while more consumers bring nothing: a partition that
  // is stuck, or a slow sink, says nothing about consumers.
  const isTelling = measured !== undefined && isBroad(demand) && memory.ineffectiveTries === 0
  if (most <= before.perSecond && !isTelling) return { ...memory, capacity: before }
  const perSecond = before.perSecond + (most - before.perSecond) * NEW_SHARE
  return { ...memory, capacity: { perSecond: Math.max(perSecond, shown), atMs: rates.atMs } }
}

function up(view: LagView, wanted: number, demand: Demand, memory: ScalingMemory, nowMs: number): LagDecision {
  const { current } = view
  if (memory.ineffectiveTries >= MOST_TRIES) {
    const lookAgainMs = TRY_AGAIN_MS - (nowMs - (memory.lastChangeMs ?? 0))
    return { replicas: current, reason: 'SinkBound', memory: calm(memory), lookAgainMs }
  }
  const attempt = { replicas: current, perSecond: demand.drain }
  const cause = `${figure(demand.lag)} records wait, ${figure(demand.arrival)} come per second, and one consumer writes ${figure(memory.capacity?.perSecond ?? 0)}`
  return { replicas: wanted, reason: 'CatchingUp', memory: { ...changed(memory, nowMs), attempt }, cause }
}

function isIdle({ scaling, rates }: LagView, demand: Demand): boolean {
  const isReported = rates?.partitions.every(({ isCommitted }) => isCommitted) === true
  return scaling.minReplicas === 0 && demand.lag === 0 && demand.arrival === 0 && isReported
}

/** One step down when it was enough for long, or why everything stays. */
function down(
  view: LagView,
  counts: readonly number[],
  demand: Demand,
  memory: ScalingMemory,
  nowMs: number
): LagDecision {
  const { scaling, current } = view
  const { capacity, belowSinceMs, idleSinceMs } = memory
  const lower = counts.findLast(count => count < current)
  const use = belowSinceMs === undefined ? USE_TO_GO_DOWN : USE_TO_STAY_BELOW
  // Nobody is taken away from a backlog. Of a consumer that was never seen under load fewer may be tried.
  const isBelow =
    lower !== undefined &&
    demand.loaded.partitions === 0 &&
    (capacity === undefined || areEnough(demand, lower, capacity.perSecond, use))
  const sinceMs = isBelow ? (belowSinceMs ?? nowMs) : undefined
  const kept = { ...memory, belowSinceMs: sinceMs }
  if (sinceMs !== undefined && nowMs - sinceMs >= scaling.stabilizationMs) {
    const cause = `fewer were enough for spec.scaling.stabilizationTime: ${figure(demand.arrival)} records come per second`
    return { replicas: lower, reason: 'Sized', memory: { ...changed(memory, nowMs), idleSinceMs }, cause }
  }
  const waits = [
    ...(sinceMs === undefined ? [] : [scaling.stabilizationMs - (nowMs - sinceMs)]),
    ...(idleSinceMs === undefined ? [] : [scaling.idleMs - (nowMs - idleSinceMs)])
  ]
  if (waits.length === 0) return { replicas: current, ...whySo(view, counts, demand, memory), memory: kept }
  return { replicas: current, reason: 'Stabilizing', memory: kept, lookAgainMs: Math.min(...waits) }
}

function whySo(
  { scaling, partitions, current }: LagView,
  counts: readonly number[],
  { hottest, needed, loaded }: Demand,
  { capacity, ineffectiveTries }: ScalingMemory
): Pick<LagDecision, 'reason' | 'hottest'> {
  const isBehind = loaded.partitions > 0
  if (isBehind && ineffectiveTries >= MOST_TRIES) return { reason: 'SinkBound' }
  if (capacity !== undefined && isBehind) {
    const isTooMuch = needed > capacity.perSecond * current
    if (current === counts.at(-1) && isTooMuch) {
      return {
        reason: current === partitions || scaling.maxReplicas >= partitions ? 'AtPartitionCap' : 'AtMaxReplicas'
      }
    }
    if (hottest.needed > capacity.perSecond && current < partitions) return { reason: 'Skewed', hottest: hottest.name }
  }
  return { reason: isBehind ? 'CatchingUp' : 'Sized' }
}

/** Whether most partitions are under load, so that what all consumers write tells what they can. */
const isBroad = ({ loaded, partitions }: Demand): boolean =>
  loaded.partitions > 0 && 2 * loaded.partitions >= partitions

const isKnown = ({ lag }: Rates['partitions'][number]): boolean => lag !== undefined

/** Nothing has been below or idle since. */
const calm = (memory: ScalingMemory): ScalingMemory => ({ ...memory, belowSinceMs: undefined, idleSinceMs: undefined })

const changed = (memory: ScalingMemory, nowMs: number): ScalingMemory => ({
  ...calm(memory),
  attempt: undefined,
  lastChangeMs: nowMs
})

const figure = (value: number): string => String(Math.round(twoDigits(value)))
