import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataFile } from '../../../../consumer/sinks/iceberg/data-file.ts'
import type { ManifestContents, ManifestEntry } from '../../../../consumer/sinks/iceberg/manifest.ts'
import type { ManifestFile } from '../../../../consumer/sinks/iceberg/manifest-list.ts'
import { mergeEntries, planMerge } from '../../../../consumer/sinks/iceberg/manifest-merge.ts'

const manifest = (files: number, more: Partial<ManifestFile> = {}): ManifestFile => ({
  path: '',
  lengthBytes: 4_000 + files * 100,
  specId: 0,
  content: 'data',
  sequenceNumber: 5,
  minSequenceNumber: 5,
  addedSnapshotId: 50n,
  addedFiles: files,
  existingFiles: 0,
  deletedFiles: 0,
  addedRows: files,
  existingRows: 0,
  deletedRows: 0,
  partitions: [],
  keyMetadata: undefined,
  firstRowId: undefined,
  ...more
})

test('a hundred small manifests of one spec become one; fewer, those of deletes and encrypted ones stay', () => {
  const small = Array.from({ length: 100 }, () => manifest(1))
  assert.deepEqual(
    planMerge(small, {}).map(({ length }) => length),
    [100]
  )
  assert.deepEqual(planMerge(small.slice(1), {}), [])
  assert.deepEqual(planMerge([...small.slice(1), manifest(1, { specId: 1 })], {}), [])
  assert.deepEqual(planMerge([...small.slice(1), manifest(1, { content: 'deletes' })], {}), [])
  assert.deepEqual(planMerge([...small.slice(1), manifest(1, { keyMetadata: new Uint8Array(1) })], {}), [])
  assert.deepEqual(planMerge([...small.slice(1), manifest(100)], {}), [])
  assert.deepEqual(planMerge(small, { 'commit.manifest-merge.enabled': 'false' }), [])
  assert.equal(planMerge(small.slice(0, 5), { 'commit.manifest.min-count-to-merge': '5' }).length, 1)
  assert.deepEqual(
    planMerge(small, { 'commit.manifest.target-size-bytes': '41000' }).map(({ length }) => length),
    [10]
  )
  assert.deepEqual(planMerge(small, { 'commit.manifest.target-size-bytes': '8000' }), [])
})

test('a merged manifest never has more files than fit into memory, and large ones are left alone', () => {
  const sizes = (count: number, files: number) =>
    planMerge(
      Array.from({ length: count }, () => manifest(files)),
      {}
    ).map(group => group.length * files)
  assert.deepEqual(sizes(15, 64), [])
  assert.deepEqual(sizes(16, 64), [960])
  assert.deepEqual(sizes(9, 100), [])
  assert.deepEqual(sizes(10, 100), [1_000])
  assert.deepEqual(sizes(2, 500), [1_000])
  assert.deepEqual(sizes(200, 501), [])
  const wide = (count: number, lengthBytes: number) =>
    planMerge(
      Array.from({ length: count }, () => manifest(10, { lengthBytes })),
      {}
    ).map(({ length }) => length)
  assert.deepEqual(wide(27, 37_000), [])
  assert.deepEqual(wide(29, 37_000), [28])
  assert.deepEqual(wide(200, 600_000), [])
})

test('10,000 commits leave fewer than 130 manifests, and no entry is written more than three times', () => {
  let list: readonly ManifestFile[] = []
  let [written, most] = [0, 0]
  for (let commit = 0; commit < 10_000; commit++) {
    list = [manifest(1), ...list]
    for (const group of planMerge(list, {})) {
      const files = group.reduce((sum, { addedFiles = 0, existingFiles = 0 }) => sum + addedFiles + existingFiles, 0)
      written += files
      list = [
        manifest(0, { existingFiles: files, lengthBytes: 4_000 + files * 100 }),
        ...list.filter(each => !group.includes(each))
      ]
    }
    most = Math.max(most, list.length)
  }
  assert.ok(most < 130, String(most))
  assert.ok(written <= 2 * 10_000, String(written))
  assert.equal(
    list.reduce((sum, { addedFiles = 0, existingFiles = 0 }) => sum + addedFiles + existingFiles, 0),
    10_000
  )
})

const entry = (
  status: ManifestEntry['status'],
  more: Partial<ManifestEntry> = {},
  file: Partial<DataFile> = {}
): ManifestEntry => ({
  status,
  snapshotId: undefined,
  sequenceNumber: undefined,
  fileSequenceNumber: undefined,
  ...more,
  file: { records: 10, firstRowId: undefined, ...file } as DataFile
})
const contents = (...entries: ManifestEntry[]): ManifestContents => ({
  specId: 0,
  content: 'data',
  isWhole: true,
  entries
})

test('merged entries are existing ones and carry what they had inherited; deleted ones are dropped', () => {
  const kept = { snapshotId: 7n, sequenceNumber: 2, fileSequenceNumber: 3 }
  const merged = mergeEntries([
    { manifest: manifest(1), contents: contents(entry('added'), entry('existing', kept), entry('deleted', kept)) },
    {
      manifest: manifest(1, { sequenceNumber: 6, addedSnapshotId: 60n }),
      contents: contents(entry('added', { sequenceNumber: 1 }))
    }
  ])
  assert.deepEqual(
    merged?.map(({ status, snapshotId, sequenceNumber, fileSequenceNumber }) => [
      status,
      snapshotId,
      sequenceNumber,
      fileSequenceNumber
    ]),
    [
      ['existing', 50n, 5, 5],
      ['existing', 7n, 2, 3],
      ['existing', 60n, 1, 6]
    ]
  )
})

test('row ids are counted on over files that have none of their own, deleted ones too', () => {
  const all = contents(entry('added'), entry('existing', {}, { firstRowId: 3 }), entry('deleted'), entry('added'))
  const idsFrom = (firstRowId: number | undefined) =>
    mergeEntries([{ manifest: manifest(1, { firstRowId }), contents: all }])?.map(({ file }) => file.firstRowId)
  assert.deepEqual(idsFrom(100), [100, 3, 120])
  assert.deepEqual(idsFrom(undefined), [undefined, 3, undefined])
})

test('manifests that hold more than we know of are left as they are', () => {
  const unknown = { manifest: manifest(1), contents: { ...contents(entry('added')), isWhole: false } }
  assert.equal(mergeEntries([unknown]), undefined)
})
