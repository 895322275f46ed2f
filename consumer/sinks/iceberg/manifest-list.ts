import { decodeContainer, encodeContainer } from '../../avro/container.ts'
import type { PartitionValue } from '../../columns/transforms.ts'
import { readById } from './avro-fields.ts'
import { compareValues, serialized } from './bounds.ts'
import { asBoolean, asInteger, asObject, asText, integerOr, listOr } from './checked.ts'
import { manifestListSchema, parseRecord, recordOf } from './manifest-list-record.ts'
import type { ManifestEntry } from './manifest.ts'
import type { TableMetadata } from './metadata.ts'
import type { TupleField } from './partition-spec.ts'

/** One manifest as a manifest list has it (spec, "Manifest Lists"). */
export interface ManifestFile {
  readonly path: string
  readonly lengthBytes: number
  readonly specId: number
  readonly content: 'data' | 'deletes'
  readonly sequenceNumber: number
  /** Of the data of live files in it. */
  readonly minSequenceNumber: number
  readonly addedSnapshotId: bigint
  /** Undefined counts are unknown. */
  readonly addedFiles: number | undefined
  readonly existingFiles: number | undefined
  readonly deletedFiles: number | undefined
  readonly addedRows: number | undefined
  readonly existingRows: number | undefined
  readonly deletedRows: number | undefined
  readonly partitions: readonly FieldSummary[] | undefined
  readonly keyMetadata: Uint8Array | undefined
  /** Version 3. */
  readonly firstRowId: number | undefined
}

/** The values that a partition field has in the files of a manifest; bounds are serialized, in base64. */
export interface FieldSummary {
  readonly containsNull: boolean
  readonly containsNaN: boolean | undefined
  readonly lower: string | undefined
  readonly upper: string | undefined
}

/** A manifest that was written and is in no snapshot yet. Plain JSON. */
export interface NewManifest {
  readonly path: string
  readonly lengthBytes: number
  readonly specId: number
  readonly addedFiles: number
  readonly existingFiles: number
  readonly addedRows: number
  readonly existingRows: number
  /** Of the added data files. */
  readonly addedBytes: number
  /** Different tuples among the added files. */
  readonly addedTuples: number
  /** Least of the numbers that entries bring along; undefined when all inherit. */
  readonly minSequenceNumber: number | undefined
  /** Version 3, when all files in it have their row ids already. */
  readonly firstRowId: number | undefined
  readonly partitions: readonly FieldSummary[]
}

/** What a manifest list has to tell of a manifest with these entries, all of them added or existing. */
export function newManifest(options: {
  readonly path: string
  /** Of the encoded manifest. */
  readonly bytes: number
  readonly specId: number
  readonly entries: readonly ManifestEntry[]
  /** Of the spec's fields. */
  readonly types: readonly TupleField[]
}): NewManifest {
  const { path, bytes, specId, entries, types } = options
  const of = (status: ManifestEntry['status']) => entries.filter(each => each.status === status).map(({ file }) => file)
  const [added, existing] = [of('added'), of('existing')]
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
  const sequenceNumbers = entries.flatMap(({ sequenceNumber }) => sequenceNumber ?? [])
  const rowIds = entries.flatMap(({ file }) => file.firstRowId ?? [])
  return {
    path,
    lengthBytes: bytes,
    specId,
    addedFiles: added.length,
    existingFiles: existing.length,
    addedRows: sum(added.map(({ records }) => records)),
    existingRows: sum(existing.map(({ records }) => records)),
    addedBytes: sum(added.map(({ sizeBytes }) => sizeBytes)),
    addedTuples: new Set(added.map(({ partition }) => types.map((field, at) => textOf(field, partition[at])).join()))
      .size,
    minSequenceNumber: sequenceNumbers.length === 0 ? undefined : Math.min(...sequenceNumbers),
    firstRowId: rowIds.length > 0 && rowIds.length === entries.length ? Math.min(...rowIds) : undefined,
    partitions: types.map((field, index) =>
      fieldSummary(
        field,
        entries.map(({ file }) => file.partition[index] ?? null)
      )
    )
  }
}

/** A new manifest's place in the list of a snapshot. */
export function placed(
  manifest: NewManifest,
  { snapshotId, sequenceNumber }: { readonly snapshotId: bigint; readonly sequenceNumber: number }
): ManifestFile {
  const { path, lengthBytes, specId, addedFiles, existingFiles, addedRows, existingRows, partitions } = manifest
  return {
    path,
    lengthBytes,
    specId,
    content: 'data',
    sequenceNumber,
    minSequenceNumber: manifest.minSequenceNumber ?? sequenceNumber,
    addedSnapshotId: snapshotId,
    addedFiles,
    existingFiles,
    deletedFiles: 0,
    addedRows,
    existingRows,
    deletedRows: 0,
    partitions,
    keyMetadata: undefined,
    firstRowId: manifest.firstRowId
  }
}

export interface EncodedManifestList {
  readonly bytes: Buffer
  /** Version 3: the snapshot's; 0 in version 2. */
  readonly firstRowId: number
  readonly addedRows: number
}

/**
 * The list of a snapshot, in the order given. In version 3 manifests whose files have no row ids yet get theirs from the
 * table's next (spec, "First Row ID Assignment"): encode anew on each attempt.
 */
export function encodeManifestList(
  manifests: readonly ManifestFile[],
  at: {
    readonly metadata: Pick<TableMetadata, 'formatVersion' | 'nextRowId'>
    readonly snapshotId: bigint
    readonly parentId: bigint | undefined
    readonly sequenceNumber: number
  }
): EncodedManifestList {
  const { formatVersion, nextRowId } = at.metadata
  let next = nextRowId
  const records = manifests.map(manifest => {
    let { firstRowId } = manifest
    if (formatVersion === 3 && manifest.content === 'data' && firstRowId === undefined) {
      firstRowId = next
      next += (manifest.addedRows ?? 0) + (manifest.existingRows ?? 0)
    }
    return recordOf({ ...manifest, firstRowId })
  })
  const header = {
    'snapshot-id': String(at.snapshotId),
    'parent-snapshot-id': String(at.parentId ?? null),
    'sequence-number': String(at.sequenceNumber),
    ...(formatVersion === 3 ? { 'first-row-id': String(nextRowId) } : {}),
    'format-version': String(formatVersion)
  }
  return {
    bytes: encodeContainer(manifestListSchema(formatVersion), records, header, 'deflate'),
    firstRowId: nextRowId,
    addedRows: next - nextRowId
  }
}

/** Throws AvroError or Malformed. */
export function decodeManifestList(bytes: Buffer): readonly ManifestFile[] {
  const { schema, records } = decodeContainer(bytes)
  const fields = readById(schema)
  return records.map(record => parseRecord(id => fields(record, id)))
}

function fieldSummary({ type }: TupleField, values: readonly PartitionValue[]): FieldSummary {
  const present = values.filter(value => value !== null && !Number.isNaN(value)).sort(compareValues)
  const [lower, upper] = [present[0], present.at(-1)]
  const text = (value: PartitionValue | undefined) =>
    value === undefined || value === null ? undefined : serialized(type, value).toString('base64')
  return {
    containsNull: values.includes(null),
    containsNaN: values.some(Number.isNaN),
    lower: text(lower),
    upper: text(upper)
  }
}

const textOf = ({ type }: TupleField, value: PartitionValue | undefined): string =>
  value === null || value === undefined ? '' : `${serialized(type, value).toString('base64')}.`

/** Throws Malformed. */
export function parseNewManifest(value: unknown): NewManifest {
  const json = asObject(value, 'manifest')
  const integer = (name: string) => asInteger(json[name], name)
  return {
    path: asText(json['path'], 'path'),
    lengthBytes: integer('lengthBytes'),
    specId: integer('specId'),
    addedFiles: integer('addedFiles'),
    existingFiles: integer('existingFiles'),
    addedRows: integer('addedRows'),
    existingRows: integer('existingRows'),
    addedBytes: integer('addedBytes'),
    addedTuples: integer('addedTuples'),
    minSequenceNumber: integerOr(json['minSequenceNumber'], undefined, 'minSequenceNumber'),
    firstRowId: integerOr(json['firstRowId'], undefined, 'firstRowId'),
    partitions: listOr(json['partitions'], 'partitions').map(each => {
      const { containsNull, containsNaN, lower, upper } = asObject(each, 'partitions')
      return {
        containsNull: asBoolean(containsNull, 'containsNull'),
        containsNaN: containsNaN === undefined ? undefined : asBoolean(containsNaN, 'containsNaN'),
        lower: lower === undefined ? undefined : asText(lower, 'lower'),
        upper: upper === undefined ? undefined : asText(upper, 'upper')
      }
    })
  }
}
