import type { HistoryEntry } from '../history.ts'
import { NO_COUNTS } from './counts.ts'
import { lineage } from './lineage.ts'
import type { Snapshot, TableMetadata } from './metadata.ts'
import { hasState, keyOf, parseState, type TableState } from './state.ts'
import { authorIn } from './summary.ts'

export interface SnapshotEntry extends HistoryEntry {
  readonly sequenceNumber: number
}

export interface SnapshotHistory {
  /** Oldest first. */
  readonly entries: readonly SnapshotEntry[]
  /** Where they begin, when the table is older than that. */
  readonly oldestMs: number | undefined
  /** Of the newest snapshot. */
  readonly lastSequenceNumber: number
}

/** A snapshot of ours. */
interface Known {
  readonly snapshot: Snapshot
  readonly state: TableState
}

/**
 * What each snapshot of ours on `main` has put in since the one before that is still there. Counts go on from snapshot to
 * snapshot, so that their difference is right whatever was thinned out in between. Throws Malformed.
 */
export function snapshotHistory(metadata: TableMetadata): SnapshotHistory {
  const all = lineage(metadata)
  const byId = new Map(all.map(each => [each.id, each]))
  const entries: SnapshotEntry[] = []
  let after: Known | undefined
  let oldestMs: number | undefined
  for (const snapshot of all) {
    if (!hasState(snapshot.summary)) continue
    const known = { snapshot, state: parseState(snapshot.summary) }
    if (after !== undefined && !isBehind(known.state, after.state)) continue
    if (after !== undefined) entries.push(...between(known, after, byId))
    after = known
  }
  if (after !== undefined && parentOf(after.snapshot, byId) === 'none') entries.push(...between(undefined, after, byId))
  else oldestMs = after?.snapshot.timestampMs
  const lastSequenceNumber = all[0]?.sequenceNumber ?? -1
  return { entries: entries.reverse(), oldestMs, lastSequenceNumber }
}

/** Whether `later` may have come after: offsets only grow, so a commit that is ahead of it was rolled back. */
const isBehind = ({ offsets }: TableState, later: TableState): boolean =>
  [...offsets].every(([key, next]) => (later.offsets.get(key) ?? next) >= next)

/** The snapshot of ours that it was made on, as far as those of others between are still there. */
function parentOf({ parentId }: Snapshot, byId: ReadonlyMap<bigint, Snapshot>): Snapshot | 'none' | 'gone' {
  for (let id = parentId; id !== undefined;) {
    const parent = byId.get(id)
    if (parent === undefined) return 'gone'
    if (hasState(parent.summary)) return parent
    id = parent.parentId
  }
  return 'none'
}

function between(
  before: Known | undefined,
  { snapshot, state }: Known,
  byId: ReadonlyMap<bigint, Snapshot>
): readonly SnapshotEntry[] {
  const isNext = before === undefined || parentOf(snapshot, byId) === before.snapshot
  const moved = movedTopics(before?.state, state)
  return [...moved].flatMap(([topic, atMost]): readonly SnapshotEntry[] => {
    const base = {
      committedMs: snapshot.timestampMs,
      version: String(snapshot.id),
      sequenceNumber: snapshot.sequenceNumber,
      pipeline: authorIn(snapshot.summary)?.pipeline,
      topic,
      ...(isNext ? {} : { fromMs: before.snapshot.timestampMs })
    }
    const counted = countsBetween(before?.state, state, { topic, isNext, atMost })
    if (counted !== undefined) return counted.commits === 0 ? [] : [{ ...base, ...counted }]
    const commits = isNext ? 1 : ('unknown' as const)
    // Of an older version. All its rows are of the one topic that moved.
    const added = isNext && moved.size === 1 ? wholeNumber(snapshot.summary['added-records']) : undefined
    return [{ ...base, commits, records: added, deadLetters: undefined, atMost }]
  })
}

/** The topics of a snapshot, each with how far its offsets moved in all; from 0 where they begin. */
function movedTopics(before: TableState | undefined, { offsets, counts }: TableState): ReadonlyMap<string, number> {
  const moved = new Map<string, number>()
  for (const [text, next] of offsets) {
    const topic = keyOf(text)?.topic
    const from = before?.offsets.get(text)
    if (topic === undefined) continue
    if (from !== next) moved.set(topic, (moved.get(topic) ?? 0) + next - (from ?? 0))
  }
  // A commit may leave the offsets where they were.
  for (const [topic, { commits }] of counts) {
    if (!moved.has(topic) && commits !== before?.counts.get(topic)?.commits) moved.set(topic, 0)
  }
  return moved
}

/** Undefined when one of the two does not count, or when they do not fit each other: an older version came in between. */
function countsBetween(
  before: TableState | undefined,
  { counts }: TableState,
  { topic, isNext, atMost }: { readonly topic: string; readonly isNext: boolean; readonly atMost: number }
): { readonly records: number; readonly deadLetters: number; readonly commits: number } | undefined {
  const to = counts.get(topic)
  const isNew = before === undefined || ![...before.offsets.keys()].some(text => keyOf(text)?.topic === topic)
  const from = before?.counts.get(topic) ?? (isNew || isNext ? NO_COUNTS : undefined)
  if (to === undefined || from === undefined) return undefined
  const records = to.records - from.records
  const deadLetters = to.deadLetters - from.deadLetters
  const commits = to.commits - from.commits
  const fits = records >= 0 && deadLetters >= 0 && commits >= 0 && records + deadLetters <= atMost
  return fits ? { records, deadLetters, commits } : undefined
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
