import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../../../lib/errors.ts'
import type { Metadata, Protocol } from '../../../../consumer/sinks/delta/actions.ts'
import { OUR_PROTOCOL, checkFeatures, checkPartitioning } from '../../../../consumer/sinks/delta/protocol.ts'
import type { DeltaSchema } from '../../../../consumer/sinks/delta/schema.ts'

const metadata = (configuration: Readonly<Record<string, string>> = {}, provider = 'parquet'): Metadata => ({
  id: 'id',
  format: { provider },
  schemaString: '',
  partitionColumns: ['day'],
  configuration
})

const schemaWith = (key?: string): DeltaSchema => ({
  type: 'struct',
  fields: [
    {
      name: 'outer',
      type: {
        type: 'struct',
        fields: [{ name: 'inner', type: 'string', nullable: true, metadata: key === undefined ? {} : { [key]: 'x' } }]
      },
      nullable: true,
      metadata: {}
    }
  ]
})

const check = (protocol: Protocol, configuration = {}, schema = schemaWith()) =>
  checkFeatures(protocol, metadata(configuration), schema, 't')

test('tables that ask for nothing we do not do are taken', () => {
  check(OUR_PROTOCOL)
  check(
    { minReaderVersion: 2, minWriterVersion: 6 },
    { 'delta.columnMapping.mode': 'none', 'delta.enableChangeDataFeed': 'true' }
  )
  check({ minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['appendOnly', 'invariants', 'changeDataFeed'] })
  check({
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    writerFeatures: ['timestampNtz']
  })
})

test('what we do not implement is refused by name, with the remedy', () => {
  const [reader3, writer7] = [
    { minReaderVersion: 3, minWriterVersion: 7 },
    { minReaderVersion: 1, minWriterVersion: 7 }
  ]
  const cases: readonly [() => void, RegExp][] = [
    [() => check({ minReaderVersion: 4, minWriterVersion: 7 }), /4\/7/],
    [
      () => check({ ...reader3, readerFeatures: ['deletionVectors'], writerFeatures: ['deletionVectors'] }),
      /deletionVectors.*DROP FEATURE/
    ],
    [() => check({ ...reader3, readerFeatures: ['v2Checkpoint'], writerFeatures: ['v2Checkpoint'] }), /v2Checkpoint/],
    [
      () => check({ ...reader3, readerFeatures: ['catalogManaged'], writerFeatures: ['catalogManaged'] }),
      /catalogManaged/
    ],
    [() => check({ ...writer7, writerFeatures: ['inCommitTimestamp'] }), /inCommitTimestamp/],
    [() => check({ ...writer7, writerFeatures: ['of-the-future'] }), /of-the-future/],
    [
      () => check(OUR_PROTOCOL, { 'delta.setTransactionRetentionDuration': 'interval 1 day' }),
      /setTransactionRetentionDuration.*UNSET/
    ],
    [() => check(OUR_PROTOCOL, { 'delta.constraints.positive': 'id > 0' }), /delta\.constraints\.positive/],
    [() => check(OUR_PROTOCOL, { 'delta.columnMapping.mode': 'name' }), /columnMapping/],
    [() => check(OUR_PROTOCOL, {}, schemaWith('delta.invariants')), /outer\.inner/],
    [() => check(OUR_PROTOCOL, {}, schemaWith('delta.generationExpression')), /outer\.inner/],
    [() => check(OUR_PROTOCOL, {}, schemaWith('delta.identity.start')), /outer\.inner/],
    [() => checkFeatures(OUR_PROTOCOL, metadata({}, 'orc'), schemaWith(), 't'), /orc/]
  ]
  for (const [act, message] of cases) {
    assert.throws(act, (error: unknown) => {
      assert.ok(error instanceof FatalError)
      assert.equal(error.reason, 'UnsupportedDeltaFeature')
      assert.match(error.message, message)
      return true
    })
  }
})

test('another partitioning is refused and both are named', () => {
  checkPartitioning(metadata(), ['day'], 't')
  assert.throws(() => checkPartitioning(metadata(), ['day', 'hour'], 't'), /\[day\].*\[day, hour\].*partitionBy/)
})
