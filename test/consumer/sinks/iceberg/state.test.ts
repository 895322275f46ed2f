import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  EMPTY_STATE,
  formatProperty,
  formatState,
  parseProperty,
  parseState
} from '../../../../consumer/sinks/iceberg/state.ts'
import { UUID } from './lineage.ts'

test('offsets survive their text: gaps, many partitions, names with any character', () => {
  const offsets = new Map<string, number>()
  for (const partition of [0, 1, 2, 11, 12, 4_095, 100_000])
    offsets.set(`a.b-c_d:id-_=;,%:3:${partition}`, partition * 1_000)
  offsets.set('z::0:7', 0)
  const markers = new Map([[`${UUID}/orders:id:0:3`, 12]])
  const counts = new Map([['a.b-c_d', { records: 12_000, deadLetters: 3, commits: 40 }]])
  const state = { offsets, markers, deadLetters: [], counts }
  const read = parseState(formatState(state))
  assert.deepEqual(read, state)
  const many = new Map(
    Array.from({ length: 4_096 }, (_, partition) => [`orders:id:0:${partition}`, 1_000_000_000 + partition])
  )
  const text = formatState({ ...EMPTY_STATE, offsets: many })['bronze.offsets'] ?? ''
  assert.ok(text.length < 4_096 * 11 + 20)
  for (const bad of ['x', 'a:b=1', 'a:b:0:0=99999999999999999999', 'a:b:0:0=1;;', 'a:b:0:0=1;%:b:0:0=1'])
    assert.throws(() => parseState({ 'bronze.offsets': bad }), /offset|escaped/, bad)
})

test('what a commit decided survives as property and summary, with the id of a snapshot beyond 2^53', () => {
  const manifest = {
    path: 's3://b/dlq/metadata/m0.avro',
    lengthBytes: 5_000,
    specId: 0,
    addedFiles: 1,
    existingFiles: 0,
    addedRows: 3,
    existingRows: 0,
    addedBytes: 900,
    addedTuples: 1,
    minSequenceNumber: undefined,
    firstRowId: undefined,
    partitions: [{ containsNull: false, containsNaN: undefined, lower: 'AAA=', upper: undefined }]
  }
  const pending = {
    sequenceNumber: 9,
    commitIds: ['a', 'b'],
    keys: ['orders:id:0:0'],
    table: 'db.dlq',
    tableUuid: UUID
  }
  const state = { ...EMPTY_STATE, deadLetters: [{ ...pending, manifests: [manifest] }] }
  assert.deepEqual(parseState(formatState(state)), state)
  const at = { tableUuid: UUID, snapshotId: 2n ** 63n - 1n, sequenceNumber: 9, ref: 'main' }
  assert.deepEqual(parseProperty(formatProperty(state, at)), { state, at })
})

test('counts that cannot be read are left out and stop nobody', () => {
  const { counts } = parseState({
    'bronze.offsets': '',
    'bronze.counts': 'orders=1/2/3;x;clicks=4/5;a=-1/0/0;b=1e3/0/0'
  })
  assert.deepEqual([...counts], [['orders', { records: 1, deadLetters: 2, commits: 3 }]])
})
