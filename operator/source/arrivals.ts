import { decodeReport } from '../../crds/report.ts'
import { recordsOf, type PartitionOffsets } from './partition-offsets.ts'

/** What is known of when the first record came that is not yet in a table, of one partition. */
export interface Arrival {
  /** All of this holds for records from here on. */
  readonly nextOffset: number
  /** Ms since the epoch. */
  readonly notBeforeMs: number | undefined
  /** Ms since the epoch; of the record at `nextOffset` only. */
  readonly notAfterMs?: number | undefined
}

/** By `topic/partition`. */
export type Arrivals = Map<string, Arrival>

/** Which is the first offset at or after a time? */
export interface Question {
  readonly topic: string
  readonly partition: number
  readonly atMs: number
  /** The first that is missing. */
  readonly nextOffset: number
}

/** Nearer than this nobody asks: it is less than a pipeline may take that keeps up. */
const NEAR_MS = 60_000
/** How much further back the next question goes while nothing bounds it. */
const GROWTH = 4
/** Bounds whose ages have this ratio are good enough. */
const PRECISION = 1.25

/**
 * What to ask the leaders for, so that it is known how old the first missing record is, to a quarter, after a few samples:
 * once whether it is older than a minute, then further back, then between what is known. Consumers that are at work tell it
 * by themselves; `isIdle` says that there are none.
 */
export function questionsOf(
  offsets: readonly PartitionOffsets[],
  arrivals: Arrivals,
  isIdle: boolean,
  nowMs: number
): readonly Question[] {
  return offsets.flatMap(partition => {
    const { topic, committed, logStart, lastStable } = partition
    const lag = recordsOf(committed, logStart, lastStable)
    if (lag === undefined || lag === 0) return []
    const nextOffset = Math.max(committed ?? 0, logStart ?? 0)
    const { notBeforeMs, notAfterMs } = known(partition, arrivals)
    if (!isIdle && notBeforeMs !== undefined) return []
    const atMs = between(notBeforeMs, notAfterMs, nowMs)
    return atMs === undefined ? [] : [{ topic, partition: partition.partition, atMs, nextOffset }]
  })
}

/** `offsets` are the answers by `topic/partition`: -1 when there is no record from that time on. */
export function learn(questions: readonly Question[], offsets: ReadonlyMap<string, number>, arrivals: Arrivals): void {
  for (const { topic, partition, atMs, nextOffset } of questions) {
    const key = `${topic}/${partition}`
    const answer = offsets.get(key)
    if (answer === undefined) continue
    const { notBeforeMs, notAfterMs } = boundsOf(arrivals.get(key), nextOffset)
    const isOlder = answer === -1 || answer > nextOffset
    arrivals.set(key, {
      nextOffset,
      notBeforeMs: isOlder ? notBeforeMs : Math.max(atMs, notBeforeMs ?? 0),
      notAfterMs: isOlder ? Math.min(atMs, notAfterMs ?? Infinity) : notAfterMs
    })
  }
}

/** The later of what its consumer reports and what was learned of a partition with missing records; ms since the epoch. */
export const notBefore = (partition: PartitionOffsets, arrivals: Arrivals): number | undefined =>
  known(partition, arrivals).notBeforeMs

function known(partition: PartitionOffsets, arrivals: Arrivals): Omit<Arrival, 'nextOffset'> {
  const { topic, committed = 0, logStart = 0, metadata } = partition
  const learned = boundsOf(arrivals.get(`${topic}/${partition.partition}`), Math.max(committed, logStart))
  // What is not in the table came after what is, and after the moment when nothing was missing.
  const notBeforeMs = Math.max(decodeReport(metadata)?.recordTimestampMs ?? 0, learned.notBeforeMs ?? 0)
  return { ...learned, notBeforeMs: notBeforeMs === 0 ? undefined : notBeforeMs }
}

/** Of offsets that somebody has set back, nothing of it is true. */
function boundsOf(arrival: Arrival | undefined, nextOffset: number): Omit<Arrival, 'nextOffset'> {
  if (arrival === undefined || arrival.nextOffset > nextOffset) return { notBeforeMs: undefined }
  return arrival.nextOffset === nextOffset ? arrival : { notBeforeMs: arrival.notBeforeMs }
}

function between(notBeforeMs: number | undefined, notAfterMs: number | undefined, nowMs: number): number | undefined {
  const mostMs = notBeforeMs === undefined ? Infinity : nowMs - notBeforeMs
  if (mostMs <= NEAR_MS) return undefined
  if (notAfterMs === undefined) return nowMs - NEAR_MS
  const leastMs = Math.max(NEAR_MS, nowMs - notAfterMs)
  if (mostMs === Infinity) return nowMs > leastMs * GROWTH ? nowMs - leastMs * GROWTH : undefined
  return mostMs > leastMs * PRECISION ? nowMs - Math.sqrt(leastMs * mostMs) : undefined
}
