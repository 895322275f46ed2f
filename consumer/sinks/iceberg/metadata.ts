import { Malformed } from './checked.ts'
import type { PartitionSpec } from './partition-spec.ts'
import type { IcebergSchema } from './schema.ts'
import type { SortOrder } from './sort-order.ts'

/** What we use of a table's metadata (spec, "Table Metadata Fields"), checked. */
export interface TableMetadata {
  readonly formatVersion: 2 | 3
  readonly tableUuid: string
  /** Without a slash at the end. */
  readonly location: string
  readonly lastSequenceNumber: number
  readonly lastUpdatedMs: number
  readonly lastColumnId: number
  readonly schemas: readonly IcebergSchema[]
  readonly currentSchemaId: number
  readonly specs: readonly PartitionSpec[]
  readonly defaultSpecId: number
  readonly sortOrders: readonly SortOrder[]
  readonly defaultSortOrderId: number
  readonly properties: Readonly<Record<string, string>>
  readonly snapshots: readonly Snapshot[]
  /** `main` is among them once the table has a snapshot. */
  readonly refs: ReadonlyMap<string, SnapshotRef>
  /** Version 3: the next snapshot's `first-row-id`. */
  readonly nextRowId: number
  /** Snapshots that have statistics files. */
  readonly withStatistics: ReadonlySet<bigint>
  readonly isEncrypted: boolean
}

export interface Snapshot {
  readonly id: bigint
  readonly parentId: bigint | undefined
  readonly sequenceNumber: number
  readonly timestampMs: number
  readonly manifestList: string
  readonly schemaId: number | undefined
  readonly summary: Readonly<Record<string, string>>
  /** Bytes it takes in the metadata file, roughly. */
  readonly jsonBytes: number
}

export interface SnapshotRef {
  readonly snapshotId: bigint
  readonly type: 'branch' | 'tag'
  /** What it says of retention, as in its JSON (`min-snapshots-to-keep` and others). */
  readonly retention: Readonly<Record<string, number>>
}

export const MAIN = 'main'

export function currentSchema({ schemas, currentSchemaId }: TableMetadata): IcebergSchema {
  return required(
    schemas.find(each => each['schema-id'] === currentSchemaId),
    'schema'
  )
}

export function currentSpec({ specs, defaultSpecId }: TableMetadata): PartitionSpec {
  return required(
    specs.find(each => each['spec-id'] === defaultSpecId),
    'partition spec'
  )
}

/** The snapshot that readers see; undefined while the table is empty. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const [head] = ancestry(metadata)
  return head
}

/** A branch's or tag's snapshots, newest first, as far back as they are still in the metadata. */
export function* ancestry({ snapshots, refs }: TableMetadata, ref = MAIN): Generator<Snapshot> {
  const known = new Map(snapshots.map(each => [each.id, each]))
  let id = refs.get(ref)?.snapshotId
  while (id !== undefined) {
    const snapshot = known.get(id)
    if (snapshot === undefined) return
    yield snapshot
    known.delete(id)
    id = snapshot.parentId
  }
}

/** Where data files go: everything we write is below, with a slash between. */
export const dataLocation = ({ location, properties }: TableMetadata): string =>
  trimmed(properties['write.data.path'] ?? `${location}/data`)

export const metadataLocation = ({ location, properties }: TableMetadata): string =>
  trimmed(properties['write.metadata.path'] ?? `${location}/metadata`)

export const trimmed = (location: string): string => location.replace(/\/+$/, '')

export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Malformed(`the ${what} that it names is missing`)
  return value
}
