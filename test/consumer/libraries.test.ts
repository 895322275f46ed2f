import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'

/** What takes a lot of time and memory, for pipelines that use it. */
const COSTLY = /\/node_modules\/(@marcbachmann\/cel-js|re2js|protobufjs|@aws-sdk\/client-s3)\//

const loaded = new Set<string>()
registerHooks({
  load: (url, context, next) => {
    const library = COSTLY.exec(url)?.[1]
    if (library !== undefined) loaded.add(library)
    return next(url, context)
  }
})

const manifest = (more: string) => `
apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: p}
spec:
  source: {bootstrapServers: ['kafka:9092']}
  topics: [{name: orders, table: bronze.orders${more}}]
  sink: {delta: {location: 'file:///tables'}}
`

test('a raw pipeline loads neither the engine of rules nor libraries of other formats and stores', async () => {
  const [{ readPipelines }, { settle }] = [
    await import('../../crds/documents.ts'),
    await import('../../crds/settle.ts')
  ]
  const { planTables } = await import('../../consumer/columns/bronze.ts')
  await import('../../consumer/decode/value-readers.ts')
  await import('../../consumer/ingest.ts')
  await import('../../consumer/sinks/connect.ts')
  const { pipelines, problems } = readPipelines(manifest(''), 'test')
  assert.deepEqual(problems, [])
  assert.equal(pipelines.map(settle).flatMap(planTables).length, 1)
  assert.deepEqual([...loaded], [])
  const quality = ", quality: {rules: [{name: early, expression: '_kafka_offset < 5'}]}"
  assert.deepEqual(readPipelines(manifest(quality), 'test').problems, [])
  assert.ok(loaded.has('@marcbachmann/cel-js') && loaded.has('re2js'))
})
