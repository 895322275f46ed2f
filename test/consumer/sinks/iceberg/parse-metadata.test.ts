import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appendChange, snapshotId } from '../../../../consumer/sinks/iceberg/commit.ts'
import {
  ancestry,
  currentSnapshot,
  dataLocation,
  metadataLocation
} from '../../../../consumer/sinks/iceberg/metadata.ts'
import { parseMetadata } from '../../../../consumer/sinks/iceberg/parse-metadata.ts'
import { EMPTY_STATE } from '../../../../consumer/sinks/iceberg/state.ts'
import { checkWritable } from '../../../../consumer/sinks/iceberg/writable.ts'
import { parseJson, stringifyJson } from '../../../../consumer/sinks/json.ts'
import { FatalError } from '../../../../lib/errors.ts'
import { Lineage } from './lineage.ts'

const parsed = (change: (json: Record<string, unknown>) => void) => {
  const lineage = new Lineage()
  lineage.ours(10)
  const json = lineage.json as unknown as Record<string, unknown>
  change(json)
  return parseMetadata(parseJson(stringifyJson(json)), 'db.t')
}
const refused = (change: (json: Record<string, unknown>) => void, reason: string, message: RegExp) =>
  assert.throws(
    () => parsed(change),
    error => error instanceof FatalError && error.reason === reason && message.test(error.message)
  )

test('ids beyond 2^53 survive, in the metadata and on their way back into a commit', () => {
  const id = 9_223_372_036_854_775_807n
  const metadata = parsed(json => {
    Object.assign((json['snapshots'] as object[])[0] ?? {}, { 'snapshot-id': id, 'parent-snapshot-id': id - 1n })
    json['refs'] = {
      main: { 'snapshot-id': id, type: 'branch', 'min-snapshots-to-keep': 5, 'max-snapshot-age-ms': 86_400_000 }
    }
    json['current-snapshot-id'] = id
  })
  assert.equal(currentSnapshot(metadata)?.id, id)
  assert.equal(currentSnapshot(metadata)?.parentId, id - 1n)
  const snapshot = {
    id: id - 7n,
    manifestList: 's3://l',
    summary: { operation: 'append' },
    firstRowId: 0,
    addedRows: 0
  }
  const text = stringifyJson(appendChange({ metadata, snapshot, state: EMPTY_STATE, remove: [id - 1n], nowMs: 5 }))
  assert.match(text, /"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":9223372036854775807}/)
  assert.match(text, /"snapshot-id":9223372036854775800,"parent-snapshot-id":9223372036854775807,/)
  assert.match(text, /"remove-snapshots","snapshot-ids":\[9223372036854775806]/)
  // What the branch says of retention is kept, and a snapshot is never older than the table.
  assert.match(text, /"min-snapshots-to-keep":5,"max-snapshot-age-ms":86400000/)
  assert.match(text, new RegExp(`"timestamp-ms":${metadata.lastUpdatedMs},`))
  assert.doesNotMatch(text, /row/)
})

test('the first commit of a table expects that it has no snapshot; version 3 counts its rows', () => {
  const metadata = parsed(json => {
    Object.assign(json, {
      'format-version': 3,
      'next-row-id': 40,
      snapshots: [],
      refs: {},
      'current-snapshot-id': null
    })
  })
  const snapshot = { id: 1n, manifestList: 's3://l', summary: {}, firstRowId: 40, addedRows: 2 }
  const text = stringifyJson(appendChange({ metadata, snapshot, state: EMPTY_STATE, remove: [], nowMs: 5_000_000 }))
  assert.match(text, /"assert-ref-snapshot-id","ref":"main","snapshot-id":null}/)
  assert.match(text, /"first-row-id":40,"added-rows":2/)
  assert.doesNotMatch(text, /parent|remove-snapshots/)
})

test('an empty table has no snapshot, whether that is said by -1, null or silence', () => {
  for (const none of [-1, null, undefined]) {
    const metadata = parsed(json => Object.assign(json, { snapshots: [], refs: {}, 'current-snapshot-id': none }))
    assert.equal(currentSnapshot(metadata), undefined)
  }
})

test('ancestors end where snapshots have expired, and never run in a circle', () => {
  const lineage = new Lineage()
  for (const offset of [1, 2, 3, 4]) lineage.ours(offset)
  lineage.expire(2)
  assert.deepEqual(
    Array.from(ancestry(lineage.metadata), ({ id }) => id),
    [4n, 3n]
  )
  lineage.json.snapshots = lineage.json.snapshots.map(each => ({ ...each, 'parent-snapshot-id': 4 }))
  assert.deepEqual(
    Array.from(ancestry(lineage.metadata), ({ id }) => id),
    [4n]
  )
})

test('versions that we do not write are refused with what to do', () => {
  refused(json => (json['format-version'] = 1), 'UnsupportedTable', /version 1; .* Upgrade it/)
  refused(json => (json['format-version'] = 4), 'UnsupportedTable', /version 4; .* newer Bronze Operator/)
})

test('metadata that is none is refused with where it is wrong', () => {
  const cases: readonly [RegExp, (json: Record<string, unknown>) => void][] = [
    [/table-uuid is no text/, json => delete json['table-uuid']],
    [/last-sequence-number is no integer/, json => (json['last-sequence-number'] = '5')],
    [/snapshots is no list/, json => (json['snapshots'] = {})],
    [/the schema that it names/, json => (json['current-schema-id'] = 7)],
    [/the partition spec that it names/, json => (json['default-spec-id'] = 7)],
    [/snapshot of a ref/, json => (json['refs'] = { main: { 'snapshot-id': 77, type: 'branch' } })],
    [/properties\.a is no text/, json => (json['properties'] = { a: 1 })],
    [
      /schemas\[0]\.a\.required/,
      json => (json['schemas'] = [{ type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'a', type: 'int' }] }])
    ],
    [
      /nested deeper/,
      json => {
        let type: unknown = 'int'
        for (let depth = 0; depth < 100; depth++)
          type = { type: 'list', 'element-id': 1, 'element-required': false, element: type }
        json['schemas'] = [{ type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'a', required: false, type }] }]
      }
    ]
  ]
  for (const [message, change] of cases) refused(change, 'IcebergMetadataInvalid', message)
  for (const json of [null, 5, [], 'x']) assert.throws(() => parseMetadata(json, 'db.t'), /db\.t is not valid/)
})

test('what a table asks of its writers and we do not do is refused by name, tuning is not', () => {
  const check = (properties: Readonly<Record<string, string>>) => () =>
    checkWritable(
      parsed(json => (json['properties'] = properties)),
      'db.t'
    )
  for (const [property, value] of Object.entries({
    'write.format.default': 'orc',
    'write.object-storage.enabled': 'true',
    'write.location-provider.impl': 'com.example.Provider',
    'write.folder-storage.path': 's3://x',
    'encryption.key-id': 'k'
  }))
    assert.throws(
      check({ [property]: value }),
      error =>
        error instanceof FatalError &&
        error.reason === 'UnsupportedTable' &&
        error.message.includes(`${property} = ${value}`) &&
        error.message.includes('Remove the property')
    )
  assert.throws(
    () =>
      checkWritable(
        parsed(json => (json['encryption-keys'] = [{}])),
        'db.t'
      ),
    /encryption keys/
  )
  check({
    'write.format.default': 'PARQUET',
    'write.object-storage.enabled': 'false',
    'write.parquet.compression-codec': 'gzip',
    'write.wap.enabled': 'true',
    'history.expire.max-snapshot-age-ms': '1'
  })()
})

test('files go where the table says, else below its location', () => {
  const at = (properties: Readonly<Record<string, string>>) => {
    const metadata = parsed(json => Object.assign(json, { properties, location: 's3://b/t/' }))
    return [dataLocation(metadata), metadataLocation(metadata)]
  }
  assert.deepEqual(at({}), ['s3://b/t/data', 's3://b/t/metadata'])
  assert.deepEqual(at({ 'write.data.path': 's3://d/x/', 'write.metadata.path': 's3://m' }), ['s3://d/x', 's3://m'])
})

test('snapshot ids are positive, of 63 bits, and not taken', () => {
  const bytes = Buffer.alloc(16)
  assert.equal(snapshotId(bytes, { snapshots: [] }), 1n)
  bytes.fill(0xff, 0, 8)
  assert.equal(snapshotId(bytes, { snapshots: [] }), 2n ** 63n - 1n)
  const taken = parsed(() => {}).snapshots
  assert.equal(snapshotId(Buffer.alloc(16), { snapshots: taken.map(each => ({ ...each, id: 1n })) }), 2n)
})
