import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf, fieldsIn } from '../../../../consumer/columns/dialect.ts'
import { mergeFields, optional } from '../../../../consumer/columns/evolve.ts'
import type { ColumnType, Field } from '../../../../consumer/columns/schema.ts'
import { evolutionActions, evolved, tableColumns } from '../../../../consumer/sinks/delta/evolution.ts'
import { OUR_PROTOCOL, withFeature } from '../../../../consumer/sinks/delta/protocol.ts'
import { deltaField, type DeltaField, type DeltaSchema } from '../../../../consumer/sinks/delta/schema.ts'
import { randomFrom } from '../../../chaos/random.ts'
import { randomSchema } from '../../../fakes/columns.ts'

const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true })
const schemaOf = (...fields: readonly DeltaField[]): DeltaSchema => ({ type: 'struct', fields })
const required = (name: string, type: ColumnType): DeltaField => ({ ...deltaField(field(name, type)), nullable: false })

test('new fields are added at the end and at every depth; columns that forbid nulls no longer do', () => {
  const struct = (...fields: readonly Field[]): ColumnType => ({ list: { struct: fields }, elementNullable: true })
  const existing = schemaOf(required('id', 'long'), deltaField(field('items', struct(field('a', 'long')))))
  const items = field('items', struct(field('b', 'string'), field('a', 'long')))
  const after = evolved(existing, [items, field('at', 'timestampNtz')])
  assert.ok('fields' in after)
  assert.deepEqual(after.fields, [
    deltaField(field('id', 'long')),
    deltaField(field('items', struct(field('a', 'long'), field('b', 'string')))),
    deltaField(field('at', 'timestampNtz'))
  ])
  assert.equal(evolved(after, [items]), after)
})

test('a column of another type, or in another spelling, is the path of a misfit', () => {
  const inner = (type: ColumnType): ColumnType => ({ struct: [field('x', type)] })
  const existing = schemaOf(deltaField(field('s', inner('long'))), deltaField(field('n', 'int')))
  assert.deepEqual(evolved(existing, [field('s', inner('string'))]), { misfit: 's.x' })
  assert.deepEqual(evolved(existing, [field('n', 'long')]), { misfit: 'n' })
  assert.deepEqual(evolved(existing, [field('N', 'int')]), { misfit: 'n' })
})

test('times without zone bring their feature, and the features that older protocols imply are named', () => {
  const metadata = { id: 'x', format: { provider: 'parquet' }, schemaString: '', partitionColumns: [] }
  const snapshot = { metadata, protocol: OUR_PROTOCOL }
  const existing = schemaOf(deltaField(field('id', 'long')))
  const plain = evolutionActions(snapshot, existing, [], [[field('a', 'string')]], 't')
  assert.deepEqual(
    plain.map(action => Object.keys(action)),
    [['metaData']]
  )
  const [first, second] = evolutionActions(snapshot, existing, [], [[field('at', 'timestampNtz')]], 't')
  assert.deepEqual(first?.protocol, {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    writerFeatures: ['appendOnly', 'invariants', 'timestampNtz']
  })
  assert.match(second?.metaData?.schemaString ?? '', /timestamp_ntz/)
  assert.deepEqual(withFeature({ minReaderVersion: 2, minWriterVersion: 5 }, 'timestampNtz'), {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['columnMapping', 'timestampNtz'],
    writerFeatures: [
      'appendOnly',
      'invariants',
      'checkConstraints',
      'changeDataFeed',
      'generatedColumns',
      'columnMapping',
      'timestampNtz'
    ]
  })
  const upgraded = withFeature(OUR_PROTOCOL, 'timestampNtz')
  assert.equal(withFeature(upgraded, 'timestampNtz'), upgraded)
  assert.deepEqual(evolutionActions(snapshot, existing, [], [[field('id', 'long')]], 't').length, 0)
})

test('a column that moved under our feet is retryable trouble that names it', () => {
  const metadata = { id: 'x', format: { provider: 'parquet' }, schemaString: '', partitionColumns: [] }
  const existing = schemaOf(deltaField(field('a', 'string')))
  assert.throws(
    () => evolutionActions({ metadata, protocol: OUR_PROTOCOL }, existing, [], [[field('a', 'long')]], 'bronze.t'),
    { name: 'RetryableError', code: 'SchemaMoved', message: /bronze\.t .* a / }
  )
})

test('random schemas survive the log: what was added is recovered as it was merged', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = randomFrom(seed, 21)
    const fields = fieldsIn(dialectOf('delta'), randomSchema(random).fields)
    const merged = mergeFields([], fields, { onIncompatible: 'NewColumn', reserved: new Set(), canWiden: false })
    const after = evolved(schemaOf(), merged.fields)
    assert.ok('fields' in after)
    const columns = tableColumns(JSON.parse(JSON.stringify(after)) as DeltaSchema)
    assert.deepEqual(
      columns,
      merged.fields.map(({ name, type }) => ({ name, type: optional(type), nullable: true }))
    )
    const again = mergeFields(columns, fields, { onIncompatible: 'Stop', reserved: new Set(), canWiden: false })
    assert.deepEqual(again.conflicts, [])
    assert.equal(evolved(after, again.fields), after)
  }
})
