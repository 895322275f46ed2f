import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { startBronze } from '../../fakes/bronze.ts'
import { sharedCatalog } from '../../servers/catalog.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

const RECORDS = 500

async function fill(bootstrap: string, topic: string): Promise<void> {
  const kafka = new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING })
  const [admin, producer] = [kafka.admin(), kafka.producer()]
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
    await producer.connect()
    const messages = Array.from({ length: RECORDS }, (_, i) => ({ value: JSON.stringify({ number: i }) }))
    await producer.send({ topic, messages: [...messages, { value: 'not json' }] })
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()])
  }
}

async function workplace(context: TestContext) {
  const [kafka, { uri, s3 }] = [await sharedKafka(), await sharedCatalog()]
  const name = `clean_${randomUUID().slice(0, 8)}`
  const folder = await mkdtemp(join(tmpdir(), 'bronze-clean-test-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  await fill(kafka.bootstrap, name)
  await writeFile(
    join(folder, 'pipeline.yaml'),
    `apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata: {name: numbers}
spec:
  source: {bootstrapServers: ['${kafka.bootstrap}'], groupId: ${name}}
  topics:
  - name: numbers
    topic: ${name}
    table: ${name}.numbers
    format: Json
    columns: [{name: number, value: /number, type: Long}]
    quality: {rules: [{name: is_even, expression: "number % 2 == 0"}]}
  batch: {triggerInterval: 500ms}
  sink:
    iceberg:
      catalog: {uri: '${uri}'}
      s3: {endpoint: '${s3.endpoint}', region: ${s3.region}, forcePathStyle: true, credentialsSecretRef: {name: lake-user}}
  scaling: {mode: Partitions, maxReplicas: 1}
---
apiVersion: v1
kind: Secret
metadata: {name: lake-user}
stringData: {accessKeyId: ${s3.accessKeyId}, secretAccessKey: ${s3.secretAccessKey}}
`
  )
  const bronze = async (...args: string[]) =>
    await startBronze(context, [...args, '-f', 'pipeline.yaml'], { cwd: folder }).ended
  const catalogHas = async (table: string) =>
    (await fetch(`${uri}/v1/namespaces/${name}/tables/${table}`)).status === 200
  return { name, bronze, catalogHas }
}

test(
  'an Iceberg pipeline gets its tables, runs, shows that it has caught up, is dropped from its catalog, and runs from the start again',
  { ...need('kafka', 'catalog', 's3'), timeout: 400_000 },
  async context => {
    const { name, bronze, catalogHas } = await workplace(context)
    const rowsText = new RegExp(
      `${name}\\.numbers +s3://\\S+ +${RECORDS} rows\\n +${name}\\.dlq_numbers +s3://\\S+ +1 rows`
    )
    for (const round of ['first', 'second']) {
      for (const what of ['created, \\d+ columns', 'exists, matches']) {
        const init = await bronze('init')
        assert.deepEqual([init.code, init.err], [0, ''])
        assert.match(init.out, new RegExp(`^${name}\\.numbers: ${what}\\n${name}\\.dlq_numbers: ${what}\\n$`))
      }
      const run = await bronze('run', '--until-caught-up')
      assert.equal(run.code, 0, `${round}: ${run.out}${run.err}`)
      const status = await bronze('status')
      assert.equal(status.code, 0, `${round}: ${status.out}`)
      assert.match(status.out, new RegExp(`${name} +${name}\\.numbers +CaughtUp +1 +0 +0s .* 1\\n`))
      assert.deepEqual([await catalogHas('numbers'), await catalogHas('dlq_numbers')], [true, true])
      const cleaned = await bronze('clean', '--yes')
      assert.equal(cleaned.code, 0, `${round}: ${cleaned.err}`)
      assert.match(cleaned.out, rowsText)
      assert.deepEqual([await catalogHas('numbers'), await catalogHas('dlq_numbers')], [false, false])
    }
  }
)
