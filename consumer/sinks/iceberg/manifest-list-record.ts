import { avroFields, type AvroField } from './avro-fields.ts'
import { Malformed, asBoolean, asInteger, asList, asObject, asText, integerOr } from './checked.ts'
import type { FieldSummary, ManifestFile } from './manifest-list.ts'

/** The Avro schema of a manifest list (spec, "Manifest Lists"). */
export const manifestListSchema = (formatVersion: 2 | 3): object => ({
  type: 'record',
  name: 'manifest_file',
  fields: avroFields(formatVersion === 3 ? [...FIELDS, ROW_ID] : FIELDS)
})

/** A manifest as the Avro record of a list. */
export function recordOf(file: ManifestFile): object {
  return {
    manifest_path: file.path,
    manifest_length: file.lengthBytes,
    partition_spec_id: file.specId,
    content: file.content === 'data' ? 0 : 1,
    sequence_number: file.sequenceNumber,
    min_sequence_number: file.minSequenceNumber,
    added_snapshot_id: file.addedSnapshotId,
    // Unknown in a list of another writer: taken for some, as the specification has it.
    added_files_count: file.addedFiles ?? 1,
    existing_files_count: file.existingFiles ?? 1,
    deleted_files_count: file.deletedFiles ?? 1,
    added_rows_count: file.addedRows ?? 1,
    existing_rows_count: file.existingRows ?? 1,
    deleted_rows_count: file.deletedRows ?? 1,
    partitions: file.partitions?.map(({ containsNull, containsNaN, lower, upper }) => ({
      contains_null: containsNull,
      contains_nan: containsNaN,
      lower_bound: lower === undefined ? null : Buffer.from(lower, 'base64'),
      upper_bound: upper === undefined ? null : Buffer.from(upper, 'base64')
    })),
    key_metadata: file.keyMetadata,
    first_row_id: file.firstRowId
  }
}

const FIELDS: readonly AvroField[] = [
  { id: 500, name: 'manifest_path', type: 'string' },
  { id: 501, name: 'manifest_length', type: 'long' },
  { id: 502, name: 'partition_spec_id', type: 'int' },
  { id: 517, name: 'content', type: 'int' },
  { id: 515, name: 'sequence_number', type: 'long' },
  { id: 516, name: 'min_sequence_number', type: 'long' },
  { id: 503, name: 'added_snapshot_id', type: 'long' },
  { id: 504, name: 'added_files_count', type: 'int' },
  { id: 505, name: 'existing_files_count', type: 'int' },
  { id: 506, name: 'deleted_files_count', type: 'int' },
  { id: 512, name: 'added_rows_count', type: 'long' },
  { id: 513, name: 'existing_rows_count', type: 'long' },
  { id: 514, name: 'deleted_rows_count', type: 'long' },
  {
    id: 507,
    name: 'partitions',
    isOptional: true,
    type: {
      type: 'array',
      'element-id': 508,
      items: {
        type: 'record',
        name: 'r508',
        fields: avroFields([
          { id: 509, name: 'contains_null', type: 'boolean' },
          { id: 518, name: 'contains_nan', type: 'boolean', isOptional: true },
          { id: 510, name: 'lower_bound', type: 'bytes', isOptional: true },
          { id: 511, name: 'upper_bound', type: 'bytes', isOptional: true }
        ])
      }
    }
  },
  { id: 519, name: 'key_metadata', type: 'bytes', isOptional: true }
]
const ROW_ID: AvroField = { id: 520, name: 'first_row_id', type: 'long', isOptional: true }

/** The reverse, field by field. Throws Malformed. */
export function parseRecord(value: (id: number) => unknown): ManifestFile {
  const integer = (id: number) => integerOr(value(id), undefined, `field ${id} of a manifest list`)
  const partitions = value(507)
  const key = value(519)
  const addedSnapshotId = value(503)
  if (typeof addedSnapshotId !== 'number' && typeof addedSnapshotId !== 'bigint')
    throw new Malformed('a manifest has no added_snapshot_id')
  return {
    path: asText(value(500), 'manifest_path'),
    lengthBytes: asInteger(value(501), 'manifest_length'),
    specId: asInteger(value(502), 'partition_spec_id'),
    content: (integer(517) ?? 0) === 0 ? 'data' : 'deletes',
    sequenceNumber: integer(515) ?? 0,
    minSequenceNumber: integer(516) ?? 0,
    addedSnapshotId: BigInt(addedSnapshotId),
    addedFiles: integer(504),
    existingFiles: integer(505),
    deletedFiles: integer(506),
    addedRows: integer(512),
    existingRows: integer(513),
    deletedRows: integer(514),
    partitions:
      partitions === null || partitions === undefined
        ? undefined
        : asList(partitions, 'partitions').map(parseRecordSummary),
    keyMetadata: key instanceof Uint8Array ? key : undefined,
    firstRowId: integer(520)
  }
}

/** The parts have the names that all writers give them. */
function parseRecordSummary(value: unknown): FieldSummary {
  const json = asObject(value, 'field_summary')
  const text = (bound: unknown) => (bound instanceof Uint8Array ? Buffer.from(bound).toString('base64') : undefined)
  const nan = json['contains_nan']
  return {
    containsNull: asBoolean(json['contains_null'], 'contains_null'),
    containsNaN: typeof nan === 'boolean' ? nan : undefined,
    lower: text(json['lower_bound']),
    upper: text(json['upper_bound'])
  }
}
