import { FatalError } from '../../../lib/errors.ts'
import type { Metadata, Protocol } from './actions.ts'
import { DROPPED_FEATURE, halfDropped } from './dropped.ts'
import type { DeltaSchema, DeltaType } from './schema.ts'

/** What tables of ours ask of readers and writers: the least there is, so that every engine can read them. */
export const OUR_PROTOCOL: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }

/** Features that an append-only writer of plain columns fulfils, as long as the table does not make use of them (below). */
const READER_FEATURES = new Set(['columnMapping', 'timestampNtz', 'vacuumProtocolCheck'])
const WRITER_FEATURES = new Set([
  ...READER_FEATURES,
  'appendOnly',
  'invariants',
  'checkConstraints',
  'changeDataFeed', // appends need no change files: readers take them as inserts
  'generatedColumns',
  'identityColumns'
])

/** Features that the numbers of older protocols stand for (PROTOCOL.md, "Valid Feature Names in Table Features"). */
const LEGACY_WRITER_FEATURES: readonly (readonly [minWriterVersion: number, feature: string])[] = [
  [2, 'appendOnly'],
  [2, 'invariants'],
  [3, 'checkConstraints'],
  [4, 'changeDataFeed'],
  [4, 'generatedColumns'],
  [5, 'columnMapping'],
  [6, 'identityColumns']
]

/** The protocol with a feature that readers and writers must know; the same object when it is there. */
export function withFeature(protocol: Protocol, feature: string): Protocol {
  const { minReaderVersion, minWriterVersion } = protocol
  const readers = protocol.readerFeatures ?? (minReaderVersion === 2 ? ['columnMapping'] : [])
  const legacy = LEGACY_WRITER_FEATURES.filter(([version]) => version <= minWriterVersion && minWriterVersion < 7)
  const writers = protocol.writerFeatures ?? legacy.map(([, name]) => name)
  if (minReaderVersion === 3 && minWriterVersion === 7 && readers.includes(feature) && writers.includes(feature))
    return protocol
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: [...new Set([...readers, feature])],
    writerFeatures: [...new Set([...writers, feature])]
  }
}

/** Refuses, by name and with the remedy, what we do not implement (law 8). */
export function checkFeatures(protocol: Protocol, metadata: Metadata, schema: DeltaSchema, table: string): void {
  const refuse = (what: string, remedy: string) =>
    new FatalError(
      'UnsupportedDeltaFeature',
      `Delta table ${table} ${what}. ${remedy}, or name another table in spec.topics[].table.`
    )
  const { minReaderVersion, minWriterVersion } = protocol
  if (minReaderVersion > 3 || minWriterVersion > 7) {
    throw refuse(`needs protocol ${minReaderVersion}/${minWriterVersion}, newer than 3/7`, 'Use a newer consumer image')
  }
  const features = [
    ...(protocol.readerFeatures ?? []).filter(feature => !READER_FEATURES.has(feature)),
    ...(protocol.writerFeatures ?? []).filter(feature => !WRITER_FEATURES.has(feature))
  ]
  if (features.includes(DROPPED_FEATURE)) throw halfDropped(table)
  const [feature] = features
  if (feature !== undefined) {
    const all = [...new Set(features)].join(', ')
    throw refuse(`uses table features we do not write: ${all}`, `Drop them (ALTER TABLE ... DROP FEATURE ${feature})`)
  }
  checkProperties(metadata, refuse)
  for (const path of fieldsWithExpressions(schema)) {
    throw refuse(`computes or checks column ${path} by an expression`, 'Drop the expression from the column')
  }
}

function checkProperties(metadata: Metadata, refuse: (what: string, remedy: string) => FatalError): void {
  for (const [name, value] of Object.entries(metadata.configuration ?? {})) {
    const unset = `Unset it (ALTER TABLE ... UNSET TBLPROPERTIES ('${name}'))`
    if (name === 'delta.setTransactionRetentionDuration') {
      throw refuse(
        'lets transaction identifiers expire, and with them the offsets it holds (delta.setTransactionRetentionDuration)',
        unset
      )
    }
    if (name.startsWith('delta.constraints.'))
      throw refuse(`has a constraint (${name}), which we do not check`, 'Drop the constraint')
    if (name === 'delta.columnMapping.mode' && value !== 'none') {
      throw refuse(`maps its columns (delta.columnMapping.mode=${value})`, 'Drop the feature columnMapping')
    }
  }
  const { provider } = metadata.format
  if (provider !== 'parquet') throw refuse(`keeps its data as ${provider}`, 'Convert it to parquet')
}

/** Invariants, generated and identity columns live in the metadata of a field. */
function* fieldsWithExpressions(type: DeltaType, path = ''): Iterable<string> {
  if (typeof type === 'string') return
  if (type.type === 'array') yield* fieldsWithExpressions(type.elementType, path)
  if (type.type === 'map') yield* fieldsWithExpressions(type.valueType, path)
  if (type.type !== 'struct') return
  for (const field of type.fields) {
    const name = path === '' ? field.name : `${path}.${field.name}`
    const keys = Object.keys(field.metadata)
    if (keys.some(key => /^delta\.(?:invariants|generationExpression|identity\.)/.test(key))) yield name
    yield* fieldsWithExpressions(field.type, name)
  }
}

export function checkPartitioning(metadata: Metadata, partitionBy: readonly string[], table: string): void {
  const theirs = metadata.partitionColumns
  if (theirs.length === partitionBy.length && theirs.every((name, index) => name === partitionBy[index])) return
  throw new FatalError(
    'IncompatibleTable',
    `Delta table ${table} is partitioned by [${theirs.join(', ')}], the pipeline by [${partitionBy.join(', ')}]. ` +
      'Set spec.sink.delta.partitionBy (and the names in metadataColumns) to fit, or name another table in spec.topics[].table.'
  )
}
