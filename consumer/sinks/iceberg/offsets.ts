import { FatalError } from '../../../lib/errors.ts'
import type { CommitAuthor, Recovered, StagedRange } from '../../sink.ts'
import { movedPartitions as movedFrom, newestOffsets, type MergedRange } from '../offset-key.ts'
import type { PartitionId } from '../../partition.ts'
import { Malformed } from './checked.ts'
import { addCounts } from './counts.ts'
import { MAIN, ancestry, type Snapshot, type TableMetadata } from './metadata.ts'
import {
  EMPTY_STATE,
  STATE_PROPERTY,
  hasState,
  keyOf,
  markerKey,
  parseProperty,
  parseState,
  type PendingDeadLetters,
  type StateAt,
  type TableState
} from './state.ts'
import { authorIn, commitIdsIn } from './summary.ts'

export interface HeldState {
  readonly state: TableState
  /** `none`: nothing was ever committed to the table by us. */
  readonly from: 'snapshot' | 'property' | 'none'
}

/**
 * What the table remembers for us, as readers of `main` see it now. The newest snapshot of ours among the ancestors of the
 * current one tells; so a rollback takes the offsets back with the rows, and commits of others never move them. When all of
 * ours have expired the table property tells, unless it speaks of a snapshot that `main` no longer descends from: then
 * nobody knows what the rows are, and FatalError `RolledBack` says so.
 *
 * | What happened on `main`, newest last                                   | Offsets                                         |
 * |-------------------------------------------------------------------------|-------------------------------------------------|
 * | our commit; then appends, deletes or compactions of others              | of our commit                                   |
 * | a compaction prepared before our commit, committed after it             | of our commit                                   |
 * | rollback, or a branch put in its place, with a commit of ours below     | of that commit: what came later is read again   |
 * | rollback to before our first commit, or the table replaced              | `RolledBack`                                    |
 * | all snapshots of ours expired, a newer one of others stays              | of the property                                 |
 * | the same, and `main` does not descend from the property's snapshot      | `RolledBack`                                    |
 * | a commit of ours that was rolled back is cherry-picked                  | `RolledBack`: rows are there, offsets are not    |
 * | staged snapshots (write-audit-publish) of others, published or not      | of our commit                                   |
 * | a catalog that keeps no summaries                                       | of the property                                 |
 * | table dropped and created anew                                          | none: `startFrom` decides                       |
 * | properties copied from another table                                    | none: the property carries the table's UUID     |
 */
export function readState(metadata: TableMetadata, table: string): HeldState {
  const chain: Snapshot[] = []
  for (const snapshot of ancestry(metadata)) {
    chain.push(snapshot)
    if (!hasState(snapshot.summary)) continue
    checkPicked(chain, metadata, table)
    return { state: parsed(() => parseState(snapshot.summary), `snapshot ${snapshot.id}`, table), from: 'snapshot' }
  }
  checkPicked(chain, metadata, table)
  const text = metadata.properties[STATE_PROPERTY]
  if (text === undefined) return { state: EMPTY_STATE, from: 'none' }
  const { state, at } = parsed(() => parseProperty(text), `table property ${STATE_PROPERTY}`, table)
  if (at.tableUuid !== metadata.tableUuid || at.ref !== MAIN) return { state: EMPTY_STATE, from: 'none' }
  if (!mayDescend(chain, at)) throw rolledBack(metadata, at, table)
  return { state, from: 'property' }
}

/** Whether a chain of snapshots without our state may go back to where the property was written. */
function mayDescend(chain: readonly Snapshot[], at: StateAt): boolean {
  const last = chain.at(-1)
  if (last === undefined) return false
  // There, without a summary of ours: the catalog does not keep them.
  if (chain.some(({ id }) => id === at.snapshotId)) return true
  // Sequence numbers descend along the chain, which ends where snapshots have expired.
  return last.parentId !== undefined && last.sequenceNumber > at.sequenceNumber
}

/** A picked snapshot has the rows of another one, under a summary of its own. */
function checkPicked(chain: readonly Snapshot[], { snapshots }: TableMetadata, table: string): void {
  for (const { id, summary } of chain) {
    const source = summary['source-snapshot-id']
    if (source === undefined || hasState(summary)) continue
    const picked = snapshots.find(each => String(each.id) === source)
    if (picked === undefined || !hasState(picked.summary)) continue
    throw new FatalError(
      'RolledBack',
      `Snapshot ${id} of Iceberg table ${table} is a cherry-pick of snapshot ${source}, a commit of Bronze Operator that was rolled back: its rows are in the table, its offsets are not. Roll the table back to before snapshot ${id}; the records are then read again.`
    )
  }
}

function rolledBack({ snapshots }: TableMetadata, at: StateAt, table: string): FatalError {
  const isThere = snapshots.some(({ id }) => id === at.snapshotId)
  const forward = isThere ? `Set the table's current snapshot to ${at.snapshotId}, or remove` : 'Remove'
  return new FatalError(
    'RolledBack',
    `Iceberg table ${table} was set back to before the last commit of Bronze Operator (snapshot ${at.snapshotId}, sequence number ${at.sequenceNumber}), to where no snapshot tells the offsets. ${forward} the table property ${STATE_PROPERTY} to begin anew at spec.topics[].startFrom.`
  )
}

function parsed<T>(read: () => T, where: string, table: string): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw new FatalError(
      'OffsetsUnreadable',
      `The offsets in ${where} of Iceberg table ${table} cannot be read: ${error.message}. Roll the table back to a snapshot of Bronze Operator before it, or use the version that wrote it.`,
      { cause: error }
    )
  }
}

/** The newest incarnation of each topic, and the newest epoch's offset of each of its partitions. */
export function recoverOffsets({ offsets }: TableState, topics: readonly string[]): Omit<Recovered, 'columns'> {
  const held = [...offsets].flatMap(([text, nextOffset]) => {
    const key = keyOf(text)
    return key === undefined ? [] : [{ key, nextOffset, updatedMs: 0 }]
  })
  return newestOffsets(held, topics)
}

/** The partitions whose offsets are not where the ranges expect them. */
export const movedPartitions = (
  merged: ReadonlyMap<string, MergedRange>,
  { offsets }: TableState
): { readonly keys: readonly string[]; readonly partitions: readonly PartitionId[] } =>
  movedFrom(merged, key => offsets.get(key))

/** The state after a commit on `parent`. Entries of dead letters that are known to be published are dropped. */
export function nextState(
  parent: TableState,
  changes: {
    readonly ranges?: ReadonlyMap<string, MergedRange>
    /** The same as they were staged, for the counts. */
    readonly staged?: readonly StagedRange[]
    readonly markers?: ReadonlyMap<string, number>
    readonly deadLetters?: readonly PendingDeadLetters[]
    readonly isPublished?: (pending: PendingDeadLetters) => boolean
  }
): TableState {
  const { ranges = new Map<string, MergedRange>(), markers = new Map<string, number>() } = changes
  const { deadLetters = [], isPublished = () => false } = changes
  return {
    offsets: withoutOld(new Map([...parent.offsets, ...[...ranges].map(([key, { next }]) => [key, next] as const)])),
    markers: withoutOld(new Map([...parent.markers, ...markers])),
    deadLetters: [...parent.deadLetters.filter(each => !isPublished(each)), ...deadLetters],
    counts: addCounts(parent.counts, changes.staged ?? [])
  }
}

/**
 * Incarnations of a topic whose offsets are kept, so that topics that are created anew again and again do not fill the
 * summary.
 */
const KEPT_EPOCHS = 2

function withoutOld(numbers: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const scopeOf = (text: string, topic: string) => `${text.slice(0, text.indexOf('/') + 1)}${topic}`
  const newest = new Map<string, number>()
  const keys = [...numbers].map(([text, value]) => ({ text, value, key: keyOf(text) }))
  for (const { text, key } of keys) {
    if (key === undefined) continue
    const scope = scopeOf(text, key.topic)
    newest.set(scope, Math.max(newest.get(scope) ?? 0, key.epoch))
  }
  return new Map(
    keys
      .filter(
        ({ text, key }) => key !== undefined && key.epoch > (newest.get(scopeOf(text, key.topic)) ?? 0) - KEPT_EPOCHS
      )
      .map(({ text, value }) => [text, value])
  )
}

/** Dead letters that the main table decided and its dead-letter table does not have; all markers of a commit are set at once. */
export const pendingDeadLetters = (
  main: TableState,
  mainUuid: string,
  published: TableState
): readonly PendingDeadLetters[] =>
  main.deadLetters.filter(
    ({ keys, sequenceNumber }) =>
      !keys.some(key => (published.markers.get(markerKey(mainUuid, key)) ?? -1) >= sequenceNumber)
  )

/** Who last moved one of these keys, as far as snapshots tell. */
export function authorOf(metadata: TableMetadata, keys: readonly string[]): CommitAuthor | undefined {
  let newer: { readonly state: TableState; readonly snapshot: Snapshot } | undefined
  for (const snapshot of ancestry(metadata)) {
    if (!hasState(snapshot.summary)) continue
    let state: TableState
    try {
      state = parseState(snapshot.summary)
    } catch {
      return undefined
    }
    const above = newer
    if (above !== undefined && keys.some(key => above.state.offsets.get(key) !== state.offsets.get(key)))
      return authorIn(above.snapshot.summary)
    newer = { state, snapshot }
  }
  return newer !== undefined && keys.some(key => newer?.state.offsets.has(key))
    ? authorIn(newer.snapshot.summary)
    : undefined
}

export type FoundCommit =
  | { readonly status: 'in' | 'rolledBack'; readonly snapshot: Snapshot }
  /** Never took effect, or its snapshot has expired: then the offsets show that they moved. */
  | { readonly status: 'absent' }

/** Looks for our own commit after a lost answer: by its ids in the summaries of snapshots. */
export function findCommit(metadata: TableMetadata, commitIds: readonly string[]): FoundCommit {
  const isOurs = ({ summary }: Snapshot) => commitIdsIn(summary).some(id => commitIds.includes(id))
  for (const snapshot of ancestry(metadata)) if (isOurs(snapshot)) return { status: 'in', snapshot }
  const snapshot = metadata.snapshots.find(isOurs)
  return snapshot === undefined ? { status: 'absent' } : { status: 'rolledBack', snapshot }
}
