import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipelineSchema, type Schema } from '../../../crds/schema.ts'
import { settle } from '../../../crds/settle.ts'
import { readPipelines } from '../../../crds/documents.ts'
import { parsePipeline } from '../../../crds/validate.ts'
import type { KubeObject } from '../../../operator/kube/kube.ts'
import { render } from '../../../operator/objects/pod-template.ts'
import {
  askedOf,
  bytesOf,
  MAX_CONFIG_BYTES,
  newRevision,
  restartSecrets,
  revisionIn,
  revisionObject,
  type Blueprint,
  type Render
} from '../../../operator/revision/revision.ts'
import { corpus } from '../../crds/corpus.ts'
import { aPipeline } from '../given.ts'

const blueprint = (spec: object = {}, image = 'bronze:1'): Blueprint => {
  const pipeline = aPipeline(spec)
  return { pipeline, settled: settle(pipeline), image }
}
const asked = (spec: object = {}, image?: string) => askedOf(blueprint(spec, image))
/** As the API server gives it back. */
const stored = (object: KubeObject) => JSON.parse(JSON.stringify(object)) as KubeObject

test('what only the operator looks at is no wish for other consumers', () => {
  for (const spec of [
    { suspend: true },
    { mode: 'Plan' },
    { scaling: { mode: 'External', replicas: 4 } },
    { consumer: { upgrade: 'Automatic', rollout: 'Rolling', readyTimeout: '1m', image: 'bronze:1' } }
  ]) {
    assert.equal(asked(spec), asked(), JSON.stringify(spec))
  }
})

test('everything else is, and so is the image', () => {
  const all = [
    asked(),
    asked({}, 'bronze:2'),
    asked({ batch: { triggerInterval: '20s' } }),
    asked({ consumer: { labels: { team: 'x' } } }),
    asked({ consumer: { logLevel: 'Debug' } }),
    asked({ consumer: { terminationGracePeriodSeconds: 90 } })
  ]
  assert.equal(new Set(all).size, all.length)
})

/** The definition with one more field at three depths, each with a default. */
function newerSchema(): Schema {
  const flavour: Schema = { type: 'string', enum: ['Old', 'New'], default: 'Old' }
  const cache: Schema = { type: 'object', default: {}, properties: { size: { type: 'integer', default: 3 } } }
  const spec = pipelineSchema.properties!['spec']!
  const topics = spec.properties!['topics']!
  const items = { ...topics.items, properties: { ...topics.items!.properties, flavour } }
  const properties = { ...spec.properties, flavour, cache, topics: { ...topics, items } }
  return { ...pipelineSchema, properties: { ...pipelineSchema.properties, spec: { ...spec, properties } } }
}

test('a definition with more defaults, which the API server fills in on reading, tells no other wish', () => {
  const { pipeline, image } = blueprint()
  const spec = {
    ...pipeline.spec,
    flavour: 'Old',
    cache: { size: 3 },
    topics: pipeline.spec.topics.map(topic => ({ ...topic, flavour: 'Old' }))
  }
  const read = { ...pipeline, spec }
  assert.equal(askedOf({ pipeline: read, image }, newerSchema()), askedOf({ pipeline, image }))
  const wished = { ...pipeline, spec: { ...spec, flavour: 'New' } }
  assert.notEqual(askedOf({ pipeline: wished, image }, newerSchema()), askedOf({ pipeline, image }))
})

test('the order in which fields are written does not matter', () => {
  const { pipeline, image } = blueprint()
  const spec = Object.fromEntries(Object.entries(pipeline.spec).toReversed()) as unknown as typeof pipeline.spec
  assert.equal(askedOf({ pipeline: { ...pipeline, spec }, image }), asked())
})

test('a revision comes back from its ConfigMap as it was put there, for every good manifest', () => {
  for (const { name, documents } of corpus().filter(({ isGood }) => isGood)) {
    const parsed = parsePipeline(documents.at(-1))
    assert.ok(parsed.ok, name)
    const { pipeline } = parsed
    const revision = newRevision({ pipeline, settled: settle(pipeline), image: 'bronze:1' }, render)
    const object = stored(revisionObject(pipeline, revision))
    assert.deepEqual(revisionIn(pipeline.metadata.name, object), revision, name)
    assert.ok(object.metadata.name.length <= 253)
  }
})

test('consumers read from it the pipeline that the operator read, for every good manifest', () => {
  for (const { name, documents } of corpus().filter(({ isGood }) => isGood)) {
    const parsed = parsePipeline(documents.at(-1))
    assert.ok(parsed.ok, name)
    const ours = settle(parsed.pipeline)
    const { config } = render({ pipeline: parsed.pipeline, settled: ours, image: 'bronze:1' }, 'config')
    const { pipelines, problems } = readPipelines(config, name)
    assert.deepEqual(problems, [])
    const theirs = settle(pipelines[0]!)
    assert.deepEqual(
      [theirs.source, theirs.topics, theirs.sink, theirs.deadLetters],
      [ours.source, ours.topics, ours.sink, ours.deadLetters],
      name
    )
    assert.equal(theirs.consumer.logLevel, ours.consumer.logLevel)
  }
})

test('the fields that only the operator looks at are not in it: older consumers would refuse them', () => {
  const spec = { mode: 'Plan', suspend: true, consumer: { readyTimeout: '1m', upgrade: 'Automatic' } }
  const { config } = render(blueprint(spec), 'config')
  const { spec: read } = JSON.parse(config) as { spec: Record<string, unknown> }
  assert.deepEqual(Object.keys(read).sort(), [
    'batch',
    'consumer',
    'deadLetters',
    'metadataColumns',
    'sink',
    'source',
    'topics'
  ])
  assert.deepEqual(Object.keys(read['consumer'] as object).sort(), ['logLevel', 'terminationGracePeriodSeconds'])
})

test('a template that somebody else put there under the name of a revision is not taken', () => {
  const { pipeline } = blueprint()
  const revision = newRevision(blueprint(), render)
  const object = stored(revisionObject(pipeline, revision)) as KubeObject & { data: Record<string, string> }
  const with_ = (data: object) => revisionIn('shop', { ...object, data: { ...object.data, ...data } } as KubeObject)
  assert.deepEqual(with_({}), revision)
  assert.equal(with_({ 'template.json': object.data['template.json']!.replace('bronze:1', 'evil:1') }), undefined)
  assert.equal(with_({ 'pipeline.yaml': `${object.data['pipeline.yaml']} ` }), undefined)
  assert.equal(with_({ asked: 'other' }), undefined)
  assert.equal(revisionIn('other', object), undefined)
})

test('what is no revision is none', () => {
  const none = (data: unknown) =>
    revisionIn('shop', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data } as KubeObject)
  for (const data of [
    undefined,
    null,
    {},
    { 'pipeline.yaml': 'x' },
    { 'pipeline.yaml': 'x', 'template.json': 'x', asked: 'x' },
    { 'pipeline.yaml': 'x', 'template.json': 'null', asked: 'x' },
    { 'pipeline.yaml': 'x', 'template.json': '{"metadata":{},"spec":{}}', asked: 'x' }
  ]) {
    assert.equal(none(data), undefined)
  }
  assert.equal(revisionIn('shop', undefined), undefined)
})

test('another rendering of the same wish has another name', () => {
  const changed: Render = (blueprint, configName) => {
    const rendering = render(blueprint, configName)
    const { template } = rendering
    return { ...rendering, template: { ...template, metadata: { ...template.metadata, labels: { new: 'label' } } } }
  }
  const [old, next] = [newRevision(blueprint(), render), newRevision(blueprint(), changed)]
  assert.notEqual(next.name, old.name)
  assert.equal(next.asked, old.asked)
})

test('a pipeline of 256 entries with long names fits into a ConfigMap', () => {
  const columns = Array.from({ length: 10 }, (_, index) => ({ name: `column_${index}`, value: `/a/${index}` }))
  const topics = Array.from({ length: 256 }, (_, index) => ({
    name: `${'t'.repeat(200)}-${index}`,
    table: `bronze.table_${index}`,
    format: 'Json',
    columns
  }))
  const revision = newRevision(blueprint({ topics }), render)
  assert.ok(bytesOf(revision) < MAX_CONFIG_BYTES, `${bytesOf(revision)} bytes`)
  assert.ok(bytesOf(newRevision(blueprint(), render)) < 8192)
})

test('the Secrets whose change calls for new pods are those that consumers read at their start alone', () => {
  const restart = (spec: object) => restartSecrets(newRevision(blueprint(spec), render).template)
  const s3 = { credentialsSecretRef: { name: 'key' }, caSecretRef: { name: 'store-ca' } }
  const security = { protocol: 'SSL', caSecretRef: { name: 'kafka-ca' } }
  const source = { bootstrapServers: ['kafka:9092'], security }
  assert.deepEqual(restart({ source }), [])
  assert.deepEqual(restart({ source, sink: { delta: { location: 's3://lake', s3 } } }), ['store-ca'])
  assert.deepEqual(restart({ source, sink: { s3: { location: 's3://lake', s3 } } }), ['store-ca'])
  const catalog = {
    uri: 'https://catalog',
    credentialsSecretRef: { name: 'token' },
    caSecretRef: { name: 'catalog-ca' }
  }
  assert.deepEqual(restart({ sink: { iceberg: { catalog, s3 } } }), ['catalog-ca', 'store-ca'])
  // One Secret for two purposes counts by the stricter.
  const shared = { ...security, caSecretRef: { name: 'store-ca' } }
  assert.deepEqual(
    restart({ source: { ...source, security: shared }, sink: { delta: { location: 's3://lake', s3 } } }),
    ['store-ca']
  )
})

test('of a template that does not tell, as those of 0.1.0, all Secrets count', () => {
  const { template } = newRevision(blueprint(), render)
  assert.deepEqual(restartSecrets({ ...template, metadata: {} }), ['minio'])
})

test('a name tells so much of the content that no two contents of one name can be looked for', () => {
  assert.match(newRevision(blueprint(), render).name, /^shop-config-[0-9a-f]{40}$/)
})
