import type { RevisionStatus } from '../../crds/pipeline.ts'
import { clipped } from '../../lib/clipped.ts'
import { timeText } from '../kube/times.ts'

/** How consumers of the revision that is applied are. */
export type Readiness =
  /** All are ready, and have been for a while. */
  | 'Stable'
  /** All are ready since a moment ago: they may still fail at their first record. */
  | 'Ready'
  | 'NotReady'
  /** There are none to be ready: scaled to zero, or not made yet. */
  | 'None'

/** What is known when it is decided which revision runs. */
export interface Situation {
  /** Name of the revision that the spec asks for. */
  readonly wanted: string
  /** As the status has it since the last turn. */
  readonly before: RevisionStatus | undefined
  /** Whether a revision of that name can still be applied. */
  readonly isThere: (name: string) => boolean
  /** Of the revision that `before` names. */
  readonly readiness: Readiness
  /** What keeps consumers from being ready would keep those of the last healthy revision from it too. */
  readonly hitsAll: boolean
  /** What is wrong with the consumers; undefined when they say nothing. */
  readonly trouble: { readonly reason: string; readonly message: string } | undefined
  readonly isSuspended: boolean
  /** Undefined: as long as it takes. */
  readonly timeoutMs: number | undefined
  readonly nowMs: number
}

export interface Decision {
  /** Name of the revision to apply. */
  readonly apply: string
  readonly status: RevisionStatus
  /** When to look again although nothing happens. */
  readonly againAtMs: number | undefined
}

/**
 * Which revision runs: the one that the spec asks for, unless its consumers have not become ready in time and those of
 * another one were before. Then that other one runs until the spec asks for something else or the pipeline was suspended:
 * nothing is tried twice by itself, so nothing flaps. One that was once healthy is never left for another.
 */
export function decideRevision(situation: Situation): Decision {
  const { wanted, before, isThere, isSuspended } = situation
  const rolledBack = before?.rolledBack
  if (before?.name !== undefined && rolledBack?.name === wanted && !isSuspended && isThere(before.name)) {
    const healthy = before.healthy === true || situation.readiness === 'Stable'
    return { apply: before.name, status: { ...before, healthy }, againAtMs: undefined }
  }
  if (before?.name !== wanted) return begin(situation)
  const { rolledBack: _ended, ...kept } = before
  return judge(situation, kept)
}

/** The clock begins when the new one has been applied. */
function begin({ wanted, before }: Situation): Decision {
  const lastHealthy = before?.lastHealthy
  const status = { name: wanted, healthy: false, ...(lastHealthy === undefined ? {} : { lastHealthy }) }
  return { apply: wanted, status, againAtMs: undefined }
}

function judge(situation: Situation, before: RevisionStatus): Decision {
  const { wanted, readiness, hitsAll, isSuspended, timeoutMs, nowMs } = situation
  const { since, ...rest } = before
  const stay = (status: RevisionStatus, againAtMs?: number): Decision => ({ apply: wanted, status, againAtMs })
  if (before.healthy === true) return stay(rest)
  if (readiness === 'Stable') return stay({ ...rest, healthy: true, lastHealthy: wanted })
  if (readiness === 'None' || isSuspended || hitsAll) return stay(rest)
  const sinceMs = since === undefined ? nowMs : Date.parse(since)
  const counting = { ...rest, since: timeText(sinceMs) }
  if (readiness === 'Ready' || timeoutMs === undefined) return stay(counting)
  if (nowMs - sinceMs < timeoutMs) return stay(counting, sinceMs + timeoutMs)
  const { lastHealthy } = before
  if (lastHealthy === undefined || lastHealthy === wanted || !situation.isThere(lastHealthy)) return stay(counting)
  return rollBack(situation, lastHealthy)
}

const MAX_MESSAGE = 1000

function rollBack({ wanted, trouble, nowMs }: Situation, lastHealthy: string): Decision {
  const { reason = 'NotReady', message = 'consumers did not become ready' } = trouble ?? {}
  const said = { reason, message: clipped(message, MAX_MESSAGE) }
  const rolledBack = { name: wanted, time: timeText(nowMs), ...said }
  const status = { name: lastHealthy, healthy: false, lastHealthy, rolledBack }
  return { apply: lastHealthy, status, againAtMs: undefined }
}
