import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readPipelines } from '../../crds/documents.ts'
import { deadLetterTable, settle } from '../../crds/settle.ts'

const FILE = 'deploy/examples/landing-s3.yaml'
const text = readFileSync(new URL(`../../${FILE}`, import.meta.url), 'utf8')
const { pipelines, problems } = readPipelines(text, FILE)
assert.deepEqual(problems, [])
const landing = settle(pipelines[0]!)

test('all topics of the shop land as lines of JSON, by the hour of each record', () => {
  const [shop, ...others] = landing.topics
  assert.deepEqual(others, [])
  assert.deepEqual(shop?.match, { pattern: 'shop\\..*' })
  assert.equal(deadLetterTable(landing, shop.table), 'raw.dlq_shop')
  assert.deepEqual(
    shop.metadataColumns.filter(({ source }) => source === 'Value'),
    [{ source: 'Value', name: 'event', type: 'Variant' }]
  )
  assert.ok(landing.sink.kind === 's3')
  const { format, compression, path, pathTime, layout, s3 } = landing.sink.s3
  assert.deepEqual([format, compression, layout], ['Ndjson', 'Gzip', 'Partitioned'])
  assert.deepEqual([path, pathTime], ['topic={topic}/dt={yyyy}-{MM}-{dd}/hour={HH}', 'Timestamp'])
  assert.equal(s3?.encryption?.kind, 'Kms')
})

test('the pods have an identity of the cloud and no key', () => {
  assert.ok(landing.sink.kind === 's3')
  assert.equal(landing.sink.s3.s3?.credentialsSecret, undefined)
  assert.equal(landing.consumer.serviceAccountName, 'landing-writer')
  assert.match(text, /kind: ServiceAccount\nmetadata:\n {2}name: landing-writer\n/)
})

test('what its comments offer instead is valid too', () => {
  const glob = text.replace(/^ {6}path: .*\n/m, '      layout: Glob\n').replace(/^ {6}pathTime: .*\n/m, '')
  const read = readPipelines(glob, FILE)
  assert.deepEqual(read.problems, [])
  const { sink } = settle(read.pipelines[0]!)
  assert.ok(sink.kind === 's3')
  assert.deepEqual([sink.s3.layout, sink.s3.path], ['Glob', 'topic={topic}'])
})
