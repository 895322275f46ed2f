import { FatalError } from '../../../lib/errors.ts'
import {
  Malformed,
  asId,
  asInteger,
  asList,
  asObject,
  asText,
  asTexts,
  integerOr,
  listOr,
  type Json
} from './checked.ts'
import {
  MAIN,
  currentSchema,
  currentSpec,
  required,
  trimmed,
  type Snapshot,
  type SnapshotRef,
  type TableMetadata
} from './metadata.ts'
import { parsePartitionSpec } from './partition-spec.ts'
import { parseIcebergSchema } from './schema.ts'
import { parseSortOrder } from './sort-order.ts'

/** FatalError `UnsupportedTable` for a version that we do not write, `IcebergMetadataInvalid` for what is no metadata. */
export function parseMetadata(json: unknown, table: string): TableMetadata {
  try {
    const metadata = asObject(json, 'metadata')
    const version = asInteger(metadata['format-version'], 'format-version')
    if (version !== 2 && version !== 3) throw unsupportedVersion(version, table)
    return parse(metadata, version)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw new FatalError(
      'IcebergMetadataInvalid',
      `The catalog's metadata of Iceberg table ${table} is not valid: ${error.message}. Mend the table, or name another one in spec.topics[].table.`
    )
  }
}

function parse(json: Json, formatVersion: 2 | 3): TableMetadata {
  const integer = (name: string) => asInteger(json[name], name)
  const statistics = [
    ...listOr(json['statistics'], 'statistics'),
    ...listOr(json['partition-statistics'], 'partition-statistics')
  ]
  const metadata: TableMetadata = {
    formatVersion,
    tableUuid: asText(json['table-uuid'], 'table-uuid'),
    location: trimmed(asText(json['location'], 'location')),
    lastSequenceNumber: integer('last-sequence-number'),
    lastUpdatedMs: integer('last-updated-ms'),
    lastColumnId: integer('last-column-id'),
    schemas: asList(json['schemas'], 'schemas').map((each, index) => parseIcebergSchema(each, `schemas[${index}]`)),
    currentSchemaId: integer('current-schema-id'),
    specs: asList(json['partition-specs'], 'partition-specs').map(parsePartitionSpec),
    defaultSpecId: integer('default-spec-id'),
    sortOrders: asList(json['sort-orders'], 'sort-orders').map(parseSortOrder),
    defaultSortOrderId: integer('default-sort-order-id'),
    properties: asTexts(json['properties'], 'properties'),
    snapshots: listOr(json['snapshots'], 'snapshots').map(parseSnapshot),
    refs: parseRefs(json),
    nextRowId: formatVersion === 3 ? integer('next-row-id') : 0,
    withStatistics: new Set(
      statistics.map(each => asId(asObject(each, 'statistics')['snapshot-id'], 'statistics: snapshot-id'))
    ),
    isEncrypted: listOr(json['encryption-keys'], 'encryption-keys').length > 0
  }
  currentSchema(metadata)
  currentSpec(metadata)
  for (const { snapshotId } of metadata.refs.values())
    required(
      metadata.snapshots.find(({ id }) => id === snapshotId),
      'snapshot of a ref'
    )
  return metadata
}

function parseSnapshot(value: unknown): Snapshot {
  const json = asObject(value, 'snapshot')
  const id = asId(json['snapshot-id'], 'snapshot-id')
  const summary = asTexts(json['summary'], 'summary')
  const manifestList = asText(json['manifest-list'], `manifest-list of snapshot ${id}`)
  const texts = Object.entries(summary).flat()
  return {
    id,
    parentId: optionalId(json['parent-snapshot-id'], 'parent-snapshot-id'),
    sequenceNumber: integerOr(json['sequence-number'], 0, 'sequence-number'),
    timestampMs: asInteger(json['timestamp-ms'], 'timestamp-ms'),
    manifestList,
    schemaId: integerOr(json['schema-id'], undefined, 'schema-id'),
    summary,
    jsonBytes: texts.reduce((sum, text) => sum + text.length + 6, manifestList.length + SNAPSHOT_BYTES)
  }
}

/** Numbers, names and the entry in the snapshot log, with the spaces that some catalogs write. */
const SNAPSHOT_BYTES = 350

const RETENTION = ['min-snapshots-to-keep', 'max-snapshot-age-ms', 'max-ref-age-ms']

/** An empty table has -1 in the metadata of older writers (spec, Appendix F). */
const optionalId = (value: unknown, what: string): bigint | undefined =>
  value === undefined || value === null || value === -1 ? undefined : asId(value, what)

function parseRefs(json: Json): ReadonlyMap<string, SnapshotRef> {
  const refs = new Map<string, SnapshotRef>()
  const current = optionalId(json['current-snapshot-id'], 'current-snapshot-id')
  if (current !== undefined) refs.set(MAIN, { snapshotId: current, type: 'branch', retention: {} })
  for (const [name, value] of Object.entries(asObject(json['refs'] ?? {}, 'refs'))) {
    const ref = asObject(value, `ref ${name}`)
    const type = asText(ref['type'], `type of ref ${name}`)
    if (type !== 'branch' && type !== 'tag') throw new Malformed(`ref ${name} is neither a branch nor a tag`)
    const retention = RETENTION.flatMap(key => {
      const value = integerOr(ref[key], undefined, `${key} of ref ${name}`)
      return value === undefined ? [] : [[key, value] as const]
    })
    const snapshotId = asId(ref['snapshot-id'], `snapshot-id of ref ${name}`)
    refs.set(name, { snapshotId, type, retention: Object.fromEntries(retention) })
  }
  return refs
}

function unsupportedVersion(version: number, table: string): FatalError {
  const remedy =
    version === 1
      ? "Upgrade it (table property format-version = '2'); all engines of the last years read that."
      : 'Use a newer Bronze Operator, or name another table in spec.topics[].table.'
  return new FatalError(
    'UnsupportedTable',
    `Iceberg table ${table} is of format version ${version}; versions 2 and 3 are written. ${remedy}`
  )
}
