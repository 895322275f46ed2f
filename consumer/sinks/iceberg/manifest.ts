import { decodeContainer, encodeContainer } from '../../avro/container.ts'
import { unscaledOf } from '../../columns/decimal.ts'
import type { Primitive } from '../../columns/schema.ts'
import { bigEndianBytes, type PartitionValue } from '../../columns/transforms.ts'
import { invariant } from '../../../lib/errors.ts'
import { stringifyJson } from '../json.ts'
import { avroFields, avroMap, avroName, fieldsOf, readById, type AvroField } from './avro-fields.ts'
import { Malformed, asInteger, asList, asObject, asText, integerOr, listOr } from './checked.ts'
import type { DataFile } from './data-file.ts'
import type { TableMetadata } from './metadata.ts'
import { tupleFields, type PartitionSpec, type TupleField } from './partition-spec.ts'
import type { IcebergSchema } from './schema.ts'

/** One file of a manifest (spec, "Manifest Entry Fields"). What is undefined is inherited from the manifest list. */
export interface ManifestEntry {
  readonly status: 'added' | 'existing' | 'deleted'
  readonly snapshotId: bigint | undefined
  readonly sequenceNumber: number | undefined
  readonly fileSequenceNumber: number | undefined
  readonly file: DataFile
}

/** Files that a commit adds. All else of them is inherited, so that one manifest serves every attempt. */
export const addedEntries = (files: readonly DataFile[]): readonly ManifestEntry[] =>
  files.map(file => ({
    status: 'added',
    snapshotId: undefined,
    sequenceNumber: undefined,
    fileSequenceNumber: undefined,
    file
  }))

/** A manifest of data files. The spec's transforms must be ones that we can compute. */
export function encodeManifest(options: {
  readonly metadata: Pick<TableMetadata, 'formatVersion'>
  readonly schema: IcebergSchema
  readonly spec: PartitionSpec
  readonly entries: readonly ManifestEntry[]
}): Buffer {
  const { metadata, schema, spec, entries } = options
  const tuple = tupleFields(spec, schema)
  invariant(tuple !== undefined, 'the partition spec was checked')
  const header = {
    schema: stringifyJson(schema),
    'schema-id': String(schema['schema-id']),
    'partition-spec': stringifyJson(spec.fields),
    'partition-spec-id': String(spec['spec-id']),
    'format-version': String(metadata.formatVersion),
    content: 'data'
  }
  const names = tuple.map(({ name }) => avroName(name))
  const records = entries.map(entry => recordOf(entry, tuple, names))
  return encodeContainer(entrySchema(tuple, metadata.formatVersion), records, header, 'deflate')
}

export interface ManifestContents {
  readonly specId: number
  readonly content: 'data' | 'deletes'
  readonly entries: readonly ManifestEntry[]
  /** All of each entry is in `entries`: nothing is lost when they are written anew. */
  readonly isWhole: boolean
}

/** Reads a manifest of any writer; `tuple` is of the spec it was written with. Throws AvroError or Malformed. */
export function decodeManifest(bytes: Buffer, tuple: readonly TupleField[]): ManifestContents {
  const { schema, metadata, records } = decodeContainer(bytes)
  const entryOf = readById(schema)
  const dataFile = fieldsOf(schema).find(({ id }) => id === 2)?.type
  const fileOf = readById(dataFile)
  const partition = fieldsOf(dataFile).find(({ id }) => id === 102)?.type
  const partitionOf = readById(partition)
  const known = new Set([...[...FILE_FIELDS, ...MORE_FILE_FIELDS].map(({ id }) => id), ...DEPRECATED])
  const entries = records.map(record => {
    const file = entryOf(record, 2)
    const integer = (id: number) => integerOr(entryOf(record, id), undefined, `field ${id} of a manifest`)
    const id = entryOf(record, 1)
    const status = STATUS[asInteger(entryOf(record, 0), 'status')]
    if (status === undefined) throw new Malformed('an entry is neither added, existing nor deleted')
    return {
      status,
      snapshotId: typeof id === 'number' || typeof id === 'bigint' ? BigInt(id) : undefined,
      sequenceNumber: integer(3),
      fileSequenceNumber: integer(4),
      file: parseFile(
        field => fileOf(file, field),
        tuple.map(field => valueOf(partitionOf(fileOf(file, 102), field.id), field.type))
      )
    }
  })
  const hasUnknown = fieldsOf(dataFile).some(({ id }) => !known.has(id))
  const hasMore = records.some(record =>
    [135, ...MORE_FILE_FIELDS.map(({ id }) => id)].some(id => (fileOf(entryOf(record, 2), id) ?? null) !== null)
  )
  return {
    specId: Number(metadata['partition-spec-id'] ?? 0),
    content: metadata['content'] === 'deletes' ? 'deletes' : 'data',
    entries,
    isWhole: !hasUnknown && !hasMore
  }
}

const STATUS = ['existing', 'added', 'deleted'] as const

const FILE_FIELDS: readonly AvroField[] = [
  { id: 134, name: 'content', type: 'int' },
  { id: 100, name: 'file_path', type: 'string' },
  { id: 101, name: 'file_format', type: 'string' },
  { id: 102, name: 'partition', type: 'record' },
  { id: 103, name: 'record_count', type: 'long' },
  { id: 104, name: 'file_size_in_bytes', type: 'long' },
  { id: 108, name: 'column_sizes', type: avroMap(117, 118, 'long'), isOptional: true },
  { id: 109, name: 'value_counts', type: avroMap(119, 120, 'long'), isOptional: true },
  { id: 110, name: 'null_value_counts', type: avroMap(121, 122, 'long'), isOptional: true },
  { id: 137, name: 'nan_value_counts', type: avroMap(138, 139, 'long'), isOptional: true },
  { id: 125, name: 'lower_bounds', type: avroMap(126, 127, 'bytes'), isOptional: true },
  { id: 128, name: 'upper_bounds', type: avroMap(129, 130, 'bytes'), isOptional: true },
  { id: 131, name: 'key_metadata', type: 'bytes', isOptional: true },
  { id: 132, name: 'split_offsets', type: { type: 'array', items: 'long', 'element-id': 133 }, isOptional: true },
  { id: 135, name: 'equality_ids', type: { type: 'array', items: 'int', 'element-id': 136 }, isOptional: true },
  { id: 140, name: 'sort_order_id', type: 'int', isOptional: true },
  { id: 142, name: 'first_row_id', type: 'long', isOptional: true }
]
/** Of delete files only; always null for data. */
const MORE_FILE_FIELDS: readonly AvroField[] = [
  { id: 143, name: 'referenced_data_file', type: 'string', isOptional: true },
  { id: 144, name: 'content_offset', type: 'long', isOptional: true },
  { id: 145, name: 'content_size_in_bytes', type: 'long', isOptional: true }
]

/** Of older writers; not to be written any more. */
const DEPRECATED = [105, 106, 107, 111]

function entrySchema(tuple: readonly TupleField[], formatVersion: 2 | 3): object {
  const partition = {
    type: 'record',
    name: 'r102',
    fields: avroFields(
      tuple.map(({ id, name, type }) => ({ id, name: avroName(name), type: avroType(type, id), isOptional: true }))
    )
  }
  const fields = FILE_FIELDS.filter(({ id }) => formatVersion === 3 || id !== 142)
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: avroFields([
      { id: 0, name: 'status', type: 'int' },
      { id: 1, name: 'snapshot_id', type: 'long', isOptional: true },
      { id: 3, name: 'sequence_number', type: 'long', isOptional: true },
      { id: 4, name: 'file_sequence_number', type: 'long', isOptional: true },
      {
        id: 2,
        name: 'data_file',
        type: {
          type: 'record',
          name: 'r2',
          fields: avroFields(fields.map(field => (field.id === 102 ? { ...field, type: partition } : field)))
        }
      }
    ])
  }
}

/** Spec, Appendix A, "Avro". */
function avroType(type: Primitive, id: number): string | object {
  if (typeof type === 'object') {
    if ('fixed' in type) return { type: 'fixed', name: `fixed_${id}`, size: type.fixed }
    const { precision, scale } = type.decimal
    return {
      type: 'fixed',
      name: `decimal_${id}`,
      size: decimalSize(precision),
      logicalType: 'decimal',
      precision,
      scale
    }
  }
  switch (type) {
    case 'binary':
      return 'bytes'
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
    case 'timestampNtz':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': type === 'timestamp' }
    case 'uuid':
      return { type: 'fixed', name: `uuid_${id}`, size: 16, logicalType: 'uuid' }
    case 'string':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'boolean':
      return type
  }
}

/** The least bytes that hold so many digits. */
const decimalSize = (precision: number): number => bigEndianBytes(10n ** BigInt(precision) - 1n).length

function recordOf(
  { status, snapshotId, sequenceNumber, fileSequenceNumber, file }: ManifestEntry,
  tuple: readonly TupleField[],
  names: readonly string[]
): object {
  return {
    status: STATUS.indexOf(status),
    snapshot_id: snapshotId,
    sequence_number: sequenceNumber,
    file_sequence_number: fileSequenceNumber,
    data_file: {
      content: 0,
      file_path: file.path,
      file_format: file.format,
      partition: Object.fromEntries(
        tuple.map(({ type }, index) => [names[index], avroValue(type, file.partition[index] ?? null)])
      ),
      record_count: file.records,
      file_size_in_bytes: file.sizeBytes,
      column_sizes: pairs(file.columnSizes),
      value_counts: pairs(file.valueCounts),
      null_value_counts: pairs(file.nullCounts),
      nan_value_counts: pairs(file.nanCounts),
      lower_bounds: pairs(file.lower),
      upper_bounds: pairs(file.upper),
      key_metadata: file.keyMetadata,
      split_offsets: file.splitOffsets.length === 0 ? null : file.splitOffsets,
      equality_ids: null,
      sort_order_id: file.sortOrderId,
      first_row_id: file.firstRowId
    }
  }
}

const pairs = (map: ReadonlyMap<number, unknown>): readonly object[] | null =>
  map.size === 0 ? null : [...map].sort(([a], [b]) => a - b).map(([key, value]) => ({ key, value }))

function avroValue(type: Primitive, value: PartitionValue): PartitionValue {
  if (value === null || typeof type !== 'object' || !('decimal' in type)) return value
  const bytes = bigEndianBytes(BigInt(value as number | bigint))
  const size = decimalSize(type.decimal.precision)
  return Buffer.concat([Buffer.alloc(size - bytes.length, BigInt(value as number | bigint) < 0n ? 0xff : 0), bytes])
}

/** The reverse. */
function valueOf(value: unknown, type: Primitive): PartitionValue {
  if (value === null || value === undefined) return null
  if (typeof type === 'object' && 'decimal' in type) {
    if (!(value instanceof Uint8Array)) throw new Malformed('a decimal is not of bytes')
    return unscaledOf(value, 0, value.length)
  }
  if (typeof value === 'number' || typeof value === 'bigint')
    return typeof type === 'string' && LONG.has(type) ? BigInt(value) : Number(value)
  if (typeof value === 'string' || typeof value === 'boolean' || value instanceof Uint8Array) return value
  throw new Malformed('a partition value is none')
}

const LONG = new Set<Primitive>(['long', 'time', 'timestamp', 'timestampNtz'])

function parseFile(field: (id: number) => unknown, partition: readonly PartitionValue[]): DataFile {
  const integer = (id: number) => asInteger(field(id), `field ${id} of a data file`)
  const optional = (id: number) => integerOr(field(id), undefined, `field ${id} of a data file`)
  const key = field(131)
  return {
    path: asText(field(100), 'file_path'),
    format: asText(field(101), 'file_format'),
    partition,
    records: integer(103),
    sizeBytes: integer(104),
    columnSizes: mapOf(field(108), asInteger),
    valueCounts: mapOf(field(109), asInteger),
    nullCounts: mapOf(field(110), asInteger),
    nanCounts: mapOf(field(137), asInteger),
    lower: mapOf(field(125), asBytes),
    upper: mapOf(field(128), asBytes),
    keyMetadata: key instanceof Uint8Array ? key : undefined,
    splitOffsets: listOr(field(132), 'split_offsets').map(each => asInteger(each, 'split_offsets')),
    sortOrderId: optional(140),
    firstRowId: optional(142)
  }
}

function mapOf<T>(value: unknown, read: (value: unknown, what: string) => T): ReadonlyMap<number, T> {
  const map = new Map<number, T>()
  for (const each of value === null || value === undefined ? [] : asList(value, 'map')) {
    const entry = asObject(each, 'entry of a map')
    map.set(asInteger(entry['key'], 'key'), read(entry['value'], 'value'))
  }
  return map
}

function asBytes(value: unknown, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Malformed(`${what} is not of bytes`)
  return value
}
