import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipelineSchema, type Schema } from '../../crds/schema.ts'
import { parsePipeline } from '../../crds/validate.ts'
import { withoutDefaults } from '../../crds/without-defaults.ts'
import { corpus } from './corpus.ts'

const written = (document: unknown) => {
  const parsed = parsePipeline(document)
  assert.ok(parsed.ok)
  return withoutDefaults(parsed.pipeline.spec, pipelineSchema.properties!.spec) as Record<string, unknown>
}

test('a smallest pipeline comes out as it was written', () => {
  const spec = {
    source: { bootstrapServers: ['kafka:9092'] },
    topics: [{ name: 'trips', table: 'bronze.trips' }],
    sink: { delta: { location: 's3://lake/bronze' } }
  }
  const document = { apiVersion: 'bronze.dev/v1alpha1', kind: 'BronzePipeline', metadata: { name: 'taxi' }, spec }
  assert.deepEqual(written(document), spec)
})

test('filling the defaults again gives the same pipeline, for every good manifest', () => {
  for (const { name, documents } of corpus().filter(({ isGood }) => isGood)) {
    const document = documents.at(-1) as object
    const parsed = parsePipeline(document)
    const again = parsePipeline({ ...document, spec: written(document) })
    assert.deepEqual(again, parsed, name)
  }
})

const schema: Schema = {
  type: 'object',
  properties: {
    kept: { type: 'string' },
    count: { type: 'integer', default: 3 },
    inner: {
      type: 'object',
      default: {},
      properties: { deep: { type: 'boolean', default: false }, other: { type: 'string' } }
    },
    bare: { type: 'object', properties: { deep: { type: 'boolean', default: false } } },
    items: { type: 'array', items: { type: 'object', properties: { size: { type: 'integer', default: 1 } } } }
  }
}

const cases: readonly (readonly [string, unknown, unknown])[] = [
  [
    'what is as it is filled goes, in objects and lists',
    { count: 3, items: [{ size: 1 }, { size: 2 }] },
    { items: [{}, { size: 2 }] }
  ],
  ['an object that is filled as a whole goes with what is filled within', { inner: { deep: false } }, {}],
  [
    'one that says more stays, without what is filled',
    { inner: { deep: false, other: 'x' } },
    { inner: { other: 'x' } }
  ],
  ['an empty object that nothing fills was written', { bare: { deep: false } }, { bare: {} }],
  ['another value stays', { count: 4, kept: '' }, { count: 4, kept: '' }]
]
for (const [what, value, expected] of cases) {
  test(what, () => assert.deepEqual(withoutDefaults(value, schema), expected))
}
