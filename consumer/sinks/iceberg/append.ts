import type { Clock } from '../../../lib/clock.ts'
import type { CommitAuthor } from '../../sink.ts'
import { appendChange, snapshotId } from './commit.ts'
import { encodeManifestList, placed, type NewManifest } from './manifest-list.ts'
import { mergeManifests } from './merge.ts'
import { currentSnapshot, metadataLocation, type TableMetadata } from './metadata.ts'
import type { TableState } from './state.ts'
import { appendSummary } from './summary.ts'
import type { IcebergTable, Prepared } from './table.ts'
import { snapshotsToRemove } from './thinning.ts'

export interface Append {
  /** Written once: they serve every attempt. */
  readonly manifests: readonly NewManifest[]
  /** What the table holds after it: offsets, markers, dead letters. */
  readonly state: TableState
  readonly commitIds: readonly string[]
  readonly author: CommitAuthor
}

/** What a snapshot takes in the metadata beside its summary. */
const SNAPSHOT_BYTES = 400

/** Writes the manifest list of one attempt to append on `metadata`, and gives the change that makes it visible. */
export async function prepareAppend(
  table: IcebergTable,
  metadata: TableMetadata,
  { manifests, state, commitIds, author }: Append,
  clock: Clock
): Promise<Prepared> {
  const parent = currentSnapshot(metadata)
  const at = {
    snapshotId: snapshotId(randomBytes(clock), metadata),
    parentId: parent?.id,
    sequenceNumber: metadata.lastSequenceNumber + 1
  }
  const before = await mergeManifests(
    table,
    metadata,
    await table.manifestsOf(parent),
    `${commitIds[0]}-${at.snapshotId}`
  )
  const added = [...manifests, ...before.merged]
  const files = [...added.map(each => placed(each, at)), ...before.left]
  const list = encodeManifestList(files, { metadata, ...at })
  const manifestList = `${metadataLocation(metadata)}/snap-${at.snapshotId}-1-${commitIds[0]}.avro`
  await table.putManifestList(manifestList, list.bytes)
  const summary = appendSummary({ parent, manifests: added, state, commitIds, author })
  const newSnapshotBytes = SNAPSHOT_BYTES + JSON.stringify(summary).length
  const nowMs = clock.now()
  const change = appendChange({
    metadata,
    snapshot: { id: at.snapshotId, manifestList, summary, firstRowId: list.firstRowId, addedRows: list.addedRows },
    state,
    remove: snapshotsToRemove(metadata, { nowMs, newSnapshotBytes }),
    nowMs
  })
  return { change, attemptFiles: [manifestList, ...before.merged.map(({ path }) => path)] }
}

/** 128 bits of the clock's own chance, so that simulations repeat. */
function randomBytes(clock: Clock): Uint8Array {
  return Uint8Array.from({ length: 16 }, () => Math.floor(clock.random() * 256))
}
