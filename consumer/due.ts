import type { BatchLimits } from '../crds/settled.ts'

/** What a table has gathered since its last batch was taken. */
export interface Gathered {
  readonly records: number
  readonly bytes: number
  /** When the first record came; undefined while there is none. */
  readonly sinceMs: number | undefined
  /** When the last commit of this table began; undefined before the first. */
  readonly lastCommitMs: number | undefined
  /** It can take no more before a commit, whatever the limits say. */
  readonly isStuck?: boolean
}

/** A table far behind commits at most this often, unless `maxRecords` asks for more (law 7). */
export const MIN_COMMIT_INTERVAL_MS = 1000

/** When the next commit of a table is due, in ms since the epoch: now or earlier means at once, Infinity never. */
export function dueAtMs(gathered: Gathered, limits: BatchLimits, nowMs: number): number {
  const { records, bytes, sinceMs } = gathered
  if (sinceMs === undefined) return Infinity
  if (limits.maxRecords !== undefined && records >= limits.maxRecords) return nowMs
  if (bytes >= limits.maxBytes || gathered.isStuck === true) return earliestCommitMs(gathered)
  return Math.max(
    sinceMs + limits.triggerIntervalMs,
    limits.triggerIntervalMs < MIN_COMMIT_INTERVAL_MS ? 0 : earliestCommitMs(gathered)
  )
}

/** Before this a table does not commit for size or memory alone. */
export const earliestCommitMs = ({ lastCommitMs }: Gathered): number =>
  lastCommitMs === undefined ? 0 : lastCommitMs + MIN_COMMIT_INTERVAL_MS

/** The limits of a table that several entries share: the strictest of each. */
export function strictest(limits: readonly BatchLimits[]): BatchLimits {
  const records = limits.flatMap(({ maxRecords }) => (maxRecords === undefined ? [] : [maxRecords]))
  return {
    maxRecords: records.length === 0 ? undefined : Math.min(...records),
    maxBytes: Math.min(...limits.map(({ maxBytes }) => maxBytes)),
    triggerIntervalMs: Math.min(...limits.map(({ triggerIntervalMs }) => triggerIntervalMs))
  }
}
