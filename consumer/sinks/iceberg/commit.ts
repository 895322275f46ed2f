import { MAIN, currentSnapshot, type TableMetadata } from './metadata.ts'
import { STATE_PROPERTY, formatProperty, type TableState } from './state.ts'

/** One change of one table, all or nothing, in the shapes of the REST protocol (`CommitTableRequest`). */
export interface TableChange {
  readonly requirements: readonly object[]
  readonly updates: readonly object[]
}

/** What an attempt to append wrote and decided. */
export interface NewSnapshot {
  readonly id: bigint
  /** URI of the manifest list. */
  readonly manifestList: string
  readonly summary: Readonly<Record<string, string>>
  /** Version 3. */
  readonly firstRowId: number
  readonly addedRows: number
}

/** A positive id that no snapshot of the table has, of 16 random bytes (spec, Appendix F). */
export function snapshotId(random: Uint8Array, { snapshots }: Pick<TableMetadata, 'snapshots'>): bigint {
  const bytes = Buffer.from(random)
  let id = (bytes.readBigUInt64BE(0) ^ bytes.readBigUInt64BE(8)) & 0x7fff_ffff_ffff_ffffn
  while (id === 0n || snapshots.some(each => each.id === id)) id = (id + 1n) & 0x7fff_ffff_ffff_ffffn
  return id
}

/**
 * The change that makes a snapshot the end of `main`, if `main` still ends where `metadata` has it: offsets in the summary
 * and the property, and snapshots that go, in the same step.
 */
export function appendChange(options: {
  readonly metadata: TableMetadata
  readonly snapshot: NewSnapshot
  readonly state: TableState
  readonly remove: readonly bigint[]
  readonly nowMs: number
}): TableChange {
  const { metadata, snapshot, state, remove, nowMs } = options
  const { tableUuid, lastUpdatedMs, lastSequenceNumber, currentSchemaId, formatVersion, refs } = metadata
  const parent = currentSnapshot(metadata)
  const sequenceNumber = lastSequenceNumber + 1
  const at = { tableUuid, snapshotId: snapshot.id, sequenceNumber, ref: MAIN }
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: tableUuid },
      { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': parent?.id ?? null }
    ],
    updates: [
      {
        action: 'add-snapshot',
        snapshot: {
          'snapshot-id': snapshot.id,
          ...(parent === undefined ? {} : { 'parent-snapshot-id': parent.id }),
          'sequence-number': sequenceNumber,
          // Catalogs refuse a snapshot that is older than the table.
          'timestamp-ms': Math.max(nowMs, lastUpdatedMs),
          'manifest-list': snapshot.manifestList,
          'schema-id': currentSchemaId,
          summary: snapshot.summary,
          ...(formatVersion === 3 ? { 'first-row-id': snapshot.firstRowId, 'added-rows': snapshot.addedRows } : {})
        }
      },
      // A ref is set as a whole: what it says of retention would be lost.
      {
        action: 'set-snapshot-ref',
        'ref-name': MAIN,
        type: 'branch',
        'snapshot-id': snapshot.id,
        ...refs.get(MAIN)?.retention
      },
      { action: 'set-properties', updates: { [STATE_PROPERTY]: formatProperty(state, at) } },
      ...(remove.length === 0 ? [] : [{ action: 'remove-snapshots', 'snapshot-ids': remove }])
    ]
  }
}
