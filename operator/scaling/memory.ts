import type { ScalingStatus } from '../../crds/pipeline.ts'
import { twoDigits } from '../../lib/figures.ts'
import { timeMs, timeText } from '../kube/times.ts'

/** What mode Lag remembers between two decisions. Times are ms since the epoch. */
export interface ScalingMemory {
  readonly lastChangeMs?: number | undefined
  readonly belowSinceMs?: number | undefined
  readonly idleSinceMs?: number | undefined
  /** What one consumer was seen to write under load, records per second, and when. */
  readonly capacity?: { readonly perSecond: number; readonly atMs: number } | undefined
  /** Times in a row that more consumers did not write more. */
  readonly ineffectiveTries: number
  /** The last increase, not judged yet. */
  readonly attempt?: { readonly replicas: number; readonly perSecond: number } | undefined
}

/** The memory that a status holds; what is missing or is no time was never remembered. */
export function memoryOf(status: ScalingStatus | undefined): ScalingMemory {
  if (status === undefined) return { ineffectiveTries: 0 }
  const { recordsPerSecond, attempt, ineffectiveTries = 0 } = status
  const measuredMs = timeMs(status.measuredTime)
  return {
    lastChangeMs: timeMs(status.lastChangeTime),
    belowSinceMs: timeMs(status.belowSince),
    idleSinceMs: timeMs(status.idleSince),
    capacity:
      recordsPerSecond === undefined || measuredMs === undefined
        ? undefined
        : { perSecond: recordsPerSecond, atMs: measuredMs },
    ineffectiveTries,
    attempt: attempt && { replicas: attempt.replicas, perSecond: attempt.recordsPerSecond }
  }
}

/** Figures to two digits, times to the second. Undefined when there is nothing to remember. */
export function statusOfMemory(memory: ScalingMemory): ScalingStatus | undefined {
  const { lastChangeMs, belowSinceMs, idleSinceMs, capacity, ineffectiveTries, attempt } = memory
  const status: ScalingStatus = {
    ...(lastChangeMs === undefined ? {} : { lastChangeTime: timeText(lastChangeMs) }),
    ...(belowSinceMs === undefined ? {} : { belowSince: timeText(belowSinceMs) }),
    ...(idleSinceMs === undefined ? {} : { idleSince: timeText(idleSinceMs) }),
    ...(capacity === undefined
      ? {}
      : { recordsPerSecond: Math.max(1, rounded(capacity.perSecond)), measuredTime: timeText(capacity.atMs) }),
    ...(ineffectiveTries === 0 ? {} : { ineffectiveTries }),
    ...(attempt === undefined
      ? {}
      : { attempt: { replicas: attempt.replicas, recordsPerSecond: rounded(attempt.perSecond) } })
  }
  return Object.keys(status).length === 0 ? undefined : status
}

const rounded = (value: number) => Math.round(twoDigits(value))
