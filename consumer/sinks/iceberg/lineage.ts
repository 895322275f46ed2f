import { ancestry, type Snapshot, type TableMetadata } from './metadata.ts'
import { hasState } from './state.ts'

/**
 * The snapshots of `main`, newest first, also behind those that were thinned out: a snapshot still names a parent that is
 * gone, and the chain of parents ends there. What is older goes on with our own, by sequence number, and whatever their
 * parents reach. A commit of ours that was rolled back before the chain's end may be among them.
 */
export function lineage(metadata: TableMetadata): readonly Snapshot[] {
  const chain = [...ancestry(metadata)]
  const last = chain.at(-1)
  if (last?.parentId === undefined) return chain
  const known = new Map(metadata.snapshots.map(each => [each.id, each]))
  const older = new Map<bigint, Snapshot>()
  for (const ours of metadata.snapshots) {
    if (!hasState(ours.summary)) continue
    let each: Snapshot | undefined = ours
    while (each !== undefined && each.sequenceNumber < last.sequenceNumber && !older.has(each.id)) {
      older.set(each.id, each)
      each = each.parentId === undefined ? undefined : known.get(each.parentId)
    }
  }
  return [...chain, ...[...older.values()].sort((a, b) => b.sequenceNumber - a.sequenceNumber)]
}
