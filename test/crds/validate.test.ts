import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { judgeAsServer, parsePipeline, type ParseResult } from '../../crds/validate.ts'
import { rules } from '../../crds/rules.ts'
import { type CelRule, pipelineSchema, type Schema } from '../../crds/schema.ts'
import { type Case, corpus } from './corpus.ts'

const cases = corpus()

suite('good manifests are accepted', () => {
  for (const good of cases.filter(({ isGood }) => isGood)) {
    test(good.name, () => {
      assert.deepEqual(problemsOf(good), [])
    })
  }
})

suite('bad manifests are refused where they are bad', () => {
  for (const bad of cases.filter(({ isGood }) => !isGood)) {
    test(bad.name, () => {
      const paths = new Set(problemsOf(bad).map(problem => problem.path))
      assert.deepEqual([...paths].toSorted(), bad.paths.toSorted())
    })
  }
})

test('each CEL rule has a twin and at least one bad manifest, and no twin is left over', () => {
  const messages = new Set(rulesIn(pipelineSchema).map(rule => rule.message))
  assert.deepEqual([...rules.keys()].toSorted(), [...messages].toSorted())
  const seen = new Set(cases.flatMap(problemsOf).map(problem => problem.message))
  assert.deepEqual(
    [...messages].filter(message => !seen.has(message)),
    []
  )
})

test('the corpus has unique names', () => {
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
})

test('defaults are filled without changing the document', () => {
  const document = cases.find(({ name }) => name === 'smallest')!.documents[0]
  const before = structuredClone(document)
  const { spec } = accepted(parsePipeline(document))
  assert.deepEqual(document, before)
  assert.deepEqual(spec.source.startFrom, { position: 'Earliest' })
  assert.equal(spec.topics[0]?.format, 'Raw')
  assert.deepEqual(spec.batch, { triggerInterval: '30s', maxBytes: '64Mi' })
  assert.equal(spec.sink.delta?.partitionBy, 'Date')
})

test('parsing what was parsed changes nothing', () => {
  for (const { documents } of cases.filter(({ isGood }) => isGood)) {
    const once = accepted(parsePipeline(documents.at(-1)))
    assert.deepEqual(accepted(parsePipeline(once)), once)
  }
})

test('a status is handed on unread', () => {
  const document = {
    ...(cases.find(({ name }) => name === 'smallest')!.documents[0] as object),
    status: { fromAnOtherVersion: 1 }
  }
  assert.deepEqual(accepted(parsePipeline(document)).status, { fromAnOtherVersion: 1 })
})

test('the defaults of a smallest pipeline stay as they were: others would restart all consumers at an upgrade', () => {
  const { spec } = accepted(parsePipeline(cases.find(({ name }) => name === 'smallest')!.documents[0]))
  assert.deepEqual(spec, {
    source: {
      bootstrapServers: ['kafka:9092'],
      security: { protocol: 'PLAINTEXT' },
      startFrom: { position: 'Earliest' },
      onDataLoss: 'Fail'
    },
    topics: [{ name: 'trips', table: 'bronze.trips', format: 'Raw', columns: [], maxRecordBytes: '16Mi' }],
    metadataColumns: [],
    batch: { triggerInterval: '30s', maxBytes: '64Mi' },
    sink: { delta: { location: 's3://lake/bronze', partitionBy: 'Date' } },
    deadLetters: { policy: 'Table' },
    scaling: { mode: 'Partitions' },
    suspend: false,
    consumer: { terminationGracePeriodSeconds: 60, upgrade: 'Manual', rollout: 'Recreate', logLevel: 'Info' }
  })
})

for (const [what, document] of [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'kind: BronzePipeline'],
  ['a list', []],
  ['another version', { apiVersion: 'bronze.dev/v1', kind: 'BronzePipeline', metadata: { name: 'a' }, spec: {} }],
  ['another kind', { apiVersion: 'bronze.dev/v1alpha1', kind: 'Pipeline', metadata: { name: 'a' }, spec: {} }]
] as const) {
  test(`${what} is no pipeline`, () => {
    const result = parsePipeline(document)
    assert.equal(result.ok, false)
  })
}

test('problems say what is wrong and the remedy', () => {
  const messages = (name: string) => problemsOf(cases.find(bad => bad.name === name)!).map(problem => problem.message)
  assert.deepEqual(messages('field-in-wrong-case'), ['is not a field: did you mean groupId?'])
  assert.match(messages('format-unknown')[0]!, /^must be Raw, Json, Avro, Protobuf or JsonSchema, not "Csv"\. /)
  assert.match(messages('trigger-interval-number')[0]!, /^must be a text, not 10\. A commit is made at most this long/)
  assert.match(messages('snowflake-mode-unknown')[0]!, /^must be Transaction, Merge or Streaming, not "Upsert"\. /)
  assert.match(messages('s3-compression-in-small-letters')[0]!, /, not "gzip" \(did you mean Gzip\?\)\. Compression /)
  assert.match(messages('s3-path-climbs')[0]!, /^"\.\.\/\{topic\}" has not the form asked for\. Folder of an object/)
  assert.match(messages('s3-location-climbs')[0]!, /has not the form \^\(s3:/)
  assert.deepEqual(messages('snowflake-password-in-spec'), [
    'is not a field: put it into a Secret, and name that in credentialsSecretRef'
  ])
  assert.match(messages('sink-missing')[0]!, /^is required\. Where the tables are/)
})

test('no problem repeats what may be a credential that stands in a wrong place', () => {
  const shown = JSON.stringify(problemsOf(cases.find(bad => bad.name === 'snowflake-password-in-spec')!))
  assert.ok(!shown.includes('hunter2'), shown)
})

function problemsOf({ documents: [first, second] }: Case) {
  const result = second === undefined ? parsePipeline(first) : judgeAsServer(second, accepted(parsePipeline(first)))
  return result.ok ? [] : result.problems
}

function accepted(result: ParseResult) {
  if (!result.ok) assert.fail(JSON.stringify(result.problems))
  return result.pipeline
}

function rulesIn(schema: Schema): readonly CelRule[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties]
  return [...(schema['x-kubernetes-validations'] ?? []), ...below.flatMap(part => (part ? rulesIn(part) : []))]
}
