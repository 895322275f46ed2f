import { lineage } from './lineage.ts'
import { MAIN, ancestry, currentSnapshot, type Snapshot, type TableMetadata } from './metadata.ts'
import { hasState } from './state.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/**
 * All snapshots are kept so long, then one of each hour, then one of each day. A little more than an hour: who looks back an
 * hour then sees each commit.
 */
const ALL_MS = HOUR_MS + 5 * 60_000
const HOURLY_MS = 2 * DAY_MS
const DAILY_MS = 30 * DAY_MS
/** In the metadata, the one that is about to be added included. */
const MAX_SNAPSHOTS = 500
/** What all snapshots may take in the metadata file: every commit writes it whole. */
const MAX_BYTES = 1_500_000
/** However large they are. */
const MIN_SNAPSHOTS = 10

/**
 * The snapshots that a commit takes out of the metadata: at a commit every ten seconds there would be 60,000 a week. Of
 * our own on `main` all of the last hour stay, the newest of each hour for two days, of each day for thirty; so does one
 * that follows a commit of others, by which theirs is known to be on `main`. Should that be more than 500 or 1.5 MB, the
 * oldest of the last hour go first, then of the hourly, then of the daily ones. Those of others, and those with
 * statistics, stay thirty days. Untouched at any age stay the current snapshot, whatever another branch or tag reaches,
 * what others staged beside `main`, and everything when the table says `gc.enabled = false`. Commits of ours that a
 * rollback left behind go after thirty days.
 *
 * Only metadata is removed: no file is deleted. Data files stay reachable, since appends leave none behind; manifest
 * lists, and manifests that were merged, become orphans for the table's maintenance to remove.
 */
export function snapshotsToRemove(
  metadata: TableMetadata,
  { nowMs, newSnapshotBytes }: { readonly nowMs: number; readonly newSnapshotBytes: number }
): readonly bigint[] {
  const { snapshots, properties } = metadata
  if (properties['gc.enabled']?.toLowerCase() === 'false') return []
  const kept = protectedIds(metadata)
  const main = lineage(metadata)
  const onMain = new Set(main.map(({ id }) => id))
  const left = new Set(snapshots.map(({ id }) => id))
  let bytes = snapshots.reduce((sum, each) => sum + each.jsonBytes, newSnapshotBytes)
  const removed: bigint[] = []
  const remove = ({ id, jsonBytes }: Snapshot) => {
    if (!left.delete(id)) return
    removed.push(id)
    bytes -= jsonBytes
  }
  const free = snapshots.filter(({ id }) => !kept.has(id))
  for (const each of free) {
    const isLost = !onMain.has(each.id) && hasState(each.summary)
    if ((onMain.has(each.id) || isLost) && nowMs - each.timestampMs > DAILY_MS) remove(each)
  }
  const foreign = new Set(main.filter(({ summary }) => !hasState(summary)).map(({ id }) => id))
  const tiers = tiersOf(
    main.filter(each => !kept.has(each.id) && hasState(each.summary) && !metadata.withStatistics.has(each.id)),
    { nowMs, foreign }
  )
  for (const each of tiers.none) remove(each)
  const least = Math.max(MIN_SNAPSHOTS, leastSnapshots(metadata))
  for (const each of [...tiers.all, ...tiers.hourly, ...tiers.daily]) {
    const count = left.size + 1
    if (count <= least || (count <= MAX_SNAPSHOTS && bytes <= MAX_BYTES)) break
    remove(each)
  }
  return removed
}

/** Each tier oldest first; `none` are those that no tier keeps. */
function tiersOf(
  newestFirst: readonly Snapshot[],
  { nowMs, foreign }: { readonly nowMs: number; readonly foreign: ReadonlySet<bigint> }
): Readonly<Record<'all' | 'hourly' | 'daily' | 'none', readonly Snapshot[]>> {
  const tiers: Record<'all' | 'hourly' | 'daily' | 'none', Snapshot[]> = { all: [], hourly: [], daily: [], none: [] }
  const [hours, days] = [new Set<number>(), new Set<number>()]
  for (const each of newestFirst) {
    const [hour, day] = [HOUR_MS, DAY_MS].map(span => Math.floor(each.timestampMs / span)) as [number, number]
    const [isNewestOfHour, isNewestOfDay] = [!hours.has(hour), !days.has(day)]
    hours.add(hour)
    days.add(day)
    const ageMs = nowMs - each.timestampMs
    const isLink = each.parentId !== undefined && foreign.has(each.parentId)
    if ((isNewestOfDay || isLink) && ageMs <= DAILY_MS) tiers.daily.unshift(each)
    else if (isNewestOfHour && ageMs <= HOURLY_MS) tiers.hourly.unshift(each)
    else if (ageMs <= ALL_MS) tiers.all.unshift(each)
    else tiers.none.unshift(each)
  }
  return tiers
}

function protectedIds(metadata: TableMetadata): ReadonlySet<bigint> {
  const ids = new Set<bigint>()
  for (const ref of metadata.refs.keys()) if (ref !== MAIN) for (const { id } of ancestry(metadata, ref)) ids.add(id)
  const current = currentSnapshot(metadata)
  if (current !== undefined) ids.add(current.id)
  return ids
}

/** What the table itself wants kept of `main`. */
function leastSnapshots({ properties, refs }: TableMetadata): number {
  const configured = [
    properties['history.expire.min-snapshots-to-keep'],
    refs.get(MAIN)?.retention['min-snapshots-to-keep']
  ]
  return Math.max(...configured.map(value => (Number.isSafeInteger(Number(value)) ? Number(value) : 0)))
}
