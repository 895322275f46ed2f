import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeContainer, encodeContainer } from '../../../../consumer/avro/container.ts'
import type { ColumnType, PartitionField, Primitive } from '../../../../consumer/columns/schema.ts'
import type { DataFile } from '../../../../consumer/sinks/iceberg/data-file.ts'
import {
  addedEntries,
  decodeManifest,
  encodeManifest,
  type ManifestEntry
} from '../../../../consumer/sinks/iceberg/manifest.ts'
import {
  decodeManifestList,
  encodeManifestList,
  newManifest,
  placed
} from '../../../../consumer/sinks/iceberg/manifest-list.ts'
import { partitionSpec, tupleFields } from '../../../../consumer/sinks/iceberg/partition-spec.ts'
import { icebergSchema } from '../../../../consumer/sinks/iceberg/schema.ts'

const COLUMNS: Readonly<Record<string, Primitive>> = {
  a: 'string',
  b: 'int',
  c: 'long',
  d: 'timestamp',
  e: 'date',
  f: { decimal: { precision: 20, scale: 2 } },
  g: 'uuid',
  h: { fixed: 3 },
  i: 'boolean',
  'j k': 'double',
  '1n': 'binary',
  m: 'time'
}
const names = Object.keys(COLUMNS)
const schema = icebergSchema(
  { fields: names.map(name => ({ name, type: COLUMNS[name] as ColumnType, nullable: true })), partitionBy: [] },
  't'
)
const identity = names.map((column): PartitionField => ({ column, transform: 'identity', name: column }))
const spec = partitionSpec(schema, identity, 't')
const tuple = tupleFields(spec, schema) ?? []
const PARTITION = [
  'ü',
  -1,
  2n ** 60n,
  -1n,
  20_000,
  -12_345n,
  Buffer.alloc(16, 7),
  Buffer.from([1, 2, 3]),
  true,
  -0.5,
  Buffer.from('x'),
  5n
] as const

const file = (more: Partial<DataFile> = {}): DataFile => ({
  path: 's3://b/t/data/x.parquet',
  format: 'PARQUET',
  partition: PARTITION,
  records: 10,
  sizeBytes: 1_234,
  columnSizes: new Map([[1, 100]]),
  valueCounts: new Map([[1, 10]]),
  nullCounts: new Map([[1, 0]]),
  nanCounts: new Map([[10, 0]]),
  lower: new Map([[1, Buffer.from('a')]]),
  upper: new Map([[1, Buffer.from('z')]]),
  keyMetadata: undefined,
  splitOffsets: [4, 99],
  sortOrderId: 1,
  firstRowId: undefined,
  ...more
})

const existing = (of: DataFile): ManifestEntry => ({
  status: 'existing',
  snapshotId: 2n ** 62n + 1n,
  sequenceNumber: 3,
  fileSequenceNumber: 4,
  file: of
})

for (const formatVersion of [2, 3] as const) {
  test(`a manifest of version ${formatVersion} is read as it was written: values of all types, nulls, 64-bit ids`, () => {
    const rowId = formatVersion === 3 ? 7 : undefined
    const nulls = file({
      partition: PARTITION.map(() => null),
      firstRowId: rowId,
      sortOrderId: undefined,
      splitOffsets: []
    })
    const entries = [...addedEntries([file()]), existing(nulls)]
    const bytes = encodeManifest({ metadata: { formatVersion }, schema, spec, entries })
    const read = decodeManifest(bytes, tuple)
    assert.deepEqual(read, { specId: 0, content: 'data', entries, isWhole: true })
    const { metadata } = decodeContainer(bytes)
    assert.deepEqual(JSON.parse(metadata['schema'] ?? ''), schema)
    assert.deepEqual(JSON.parse(metadata['partition-spec'] ?? ''), spec.fields)
    assert.equal(metadata['format-version'], String(formatVersion))
    assert.equal(metadata['partition-spec-id'], '0')
    assert.equal(metadata['schema-id'], '0')
    assert.equal(metadata['content'], 'data')
  })
}

test('every field of a manifest has the id that the specification gives it', () => {
  const { schema: avro } = decodeContainer(
    encodeManifest({ metadata: { formatVersion: 3 }, schema, spec, entries: [] })
  )
  const ids = [...JSON.stringify(avro).matchAll(/"(?:field|element)-id":(\d+)/g)].map(([, id]) => Number(id))
  const partition = tuple.map(({ id }) => id)
  const expected = [0, 1, 3, 4, 2, 134, 100, 101, 102, ...partition, 103, 104]
  const maps = [117, 118, 108, 119, 120, 109, 121, 122, 110, 138, 139, 137, 126, 127, 125, 129, 130, 128]
  assert.deepEqual(new Set(ids), new Set([...expected, ...maps, 131, 133, 132, 136, 135, 140, 142]))
})

test('a manifest of another writer with fields that we do not know is not whole: it must not be written anew', () => {
  const bytes = encodeManifest({ metadata: { formatVersion: 2 }, schema, spec, entries: addedEntries([file()]) })
  const { schema: avro, metadata, records } = decodeContainer(bytes)
  const withField = structuredClone(avro) as { fields: { name: string; type: { fields: object[] } }[] }
  withField.fields
    .find(({ name }) => name === 'data_file')
    ?.type.fields.push({ name: 'content_stats', type: ['null', 'int'], default: null, 'field-id': 146 })
  const { 'avro.codec': _codec, ...rest } = metadata
  const other = encodeContainer(withField, records, rest, 'deflate')
  assert.equal(decodeManifest(other, tuple).isWhole, false)
  assert.deepEqual(decodeManifest(other, tuple).entries, decodeManifest(bytes, tuple).entries)
})

const at = { snapshotId: 2n ** 62n + 3n, parentId: 5n, sequenceNumber: 9 }
const manifest = (entries: readonly ManifestEntry[], path = 's3://b/m.avro') =>
  newManifest({ path, bytes: 5_000, specId: 0, entries, types: tuple })

test('a manifest list is read as it was written, and a new manifest survives JSON on its way there', () => {
  const entries = addedEntries([file(), file({ partition: PARTITION.map(() => null) })])
  const staged = JSON.parse(JSON.stringify(manifest(entries))) as ReturnType<typeof manifest>
  const list = [placed(staged, at), placed(manifest([existing(file())]), at)]
  const { bytes } = encodeManifestList(list, { ...at, metadata: { formatVersion: 2, nextRowId: 0 } })
  const read = decodeManifestList(bytes)
  assert.deepEqual(read, list)
  assert.deepEqual(read[0]?.partitions?.[1], {
    containsNull: true,
    containsNaN: false,
    lower: '/////w==',
    upper: '/////w=='
  })
  assert.equal(read[0]?.sequenceNumber, 9)
  assert.equal(read[0]?.minSequenceNumber, 9)
  assert.equal(read[1]?.minSequenceNumber, 3)
  assert.equal(read[0]?.addedSnapshotId, at.snapshotId)
  const { metadata } = decodeContainer(bytes)
  assert.deepEqual(
    [metadata['snapshot-id'], metadata['parent-snapshot-id'], metadata['sequence-number']],
    [String(at.snapshotId), '5', '9']
  )
})

test('an unpartitioned manifest has a list of no summaries, which some engines want', () => {
  const none = newManifest({
    path: 'm',
    bytes: 1,
    specId: 0,
    entries: addedEntries([file({ partition: [] })]),
    types: []
  })
  const { bytes } = encodeManifestList([placed(none, at)], { ...at, metadata: { formatVersion: 2, nextRowId: 0 } })
  assert.deepEqual(decodeManifestList(bytes)[0]?.partitions, [])
})

test('in version 3 manifests without row ids get the next ones of the table, in order', () => {
  const fresh = () => placed(manifest(addedEntries([file(), file()])), at)
  const list = [
    fresh(),
    placed(manifest([existing(file({ firstRowId: 70 }))]), at),
    fresh(),
    { ...fresh(), content: 'deletes' as const }
  ]
  const encoded = encodeManifestList(list, { ...at, metadata: { formatVersion: 3, nextRowId: 1_000 } })
  assert.deepEqual([encoded.firstRowId, encoded.addedRows], [1_000, 40])
  assert.deepEqual(
    decodeManifestList(encoded.bytes).map(({ firstRowId }) => firstRowId),
    [1_000, 70, 1_020, undefined]
  )
  assert.equal(decodeContainer(encoded.bytes).metadata['first-row-id'], '1000')
})

test('NaN and null are told of partition values, and are no bounds', () => {
  const doubles = tuple.filter(({ type }) => type === 'double')
  const of = (...values: (number | null)[]) =>
    newManifest({
      path: 'm',
      bytes: 1,
      specId: 0,
      entries: addedEntries(values.map(value => file({ partition: [value] }))),
      types: doubles
    }).partitions
  const base64 = (value: number) => Buffer.from(new Float64Array([value]).buffer).toString('base64')
  assert.deepEqual(of(1, Number.NaN, null, -1), [
    { containsNull: true, containsNaN: true, lower: base64(-1), upper: base64(1) }
  ])
  assert.deepEqual(of(0, -0), [{ containsNull: false, containsNaN: false, lower: base64(-0), upper: base64(0) }])
  assert.deepEqual(of(null), [{ containsNull: true, containsNaN: false, lower: undefined, upper: undefined }])
})
