import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { encodeBatch } from '../../../cli/demo/batch-encoder.ts'
import { DemoProducer } from '../../../cli/demo/producer.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { Workplace } from '../../consumer/process/workplace.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'
import { sharedS3 } from '../../servers/s3.ts'
import { sharedSnowflake } from '../../servers/snowflake.ts'
import { hardLimit, peakBytes } from './memory-limit.ts'

const LIMIT_BYTES = 256 << 20
const TOPICS = 8
const PARTITIONS = 3
const RECORDS_PER_BATCH = 1000
/** Many times what fits into memory; the stand-in for Snowflake takes a fraction in the time. */
const BATCHES_PER_PARTITION = { real: 42, standIn: 8 }
const RECORD_BYTES = 431

const total = (batches: number) => TOPICS * PARTITIONS * (RECORDS_PER_BATCH * batches + 1)

/** Half of the topics are compressed: their batches grow in memory. */
const codecOf = (topic: number) => (topic % 2 === 0 ? 'none' : 'zstd')

function batchOf(codec: 'none' | 'zstd'): Buffer {
  const records = Array.from({ length: RECORDS_PER_BATCH }, (_, index) => {
    const start = JSON.stringify({ id: index, customer: randomUUID(), amount: Math.random() * 1000, note: '' })
    const note = randomUUID()
      .repeat(12)
      .slice(0, RECORD_BYTES - start.length)
    const value = Buffer.from(`${start.slice(0, -2)}${note}"}`)
    return { key: String(index), value, timestampMs: Date.now(), headers: {} }
  })
  return encodeBatch(records, codec)
}

async function fill(bootstrap: string, topics: readonly string[], batches: number): Promise<void> {
  const [host = '', port = ''] = bootstrap.split(':')
  const producer = await DemoProducer.connect(host, Number(port))
  for (const [index, topic] of topics.entries()) {
    const batch = batchOf(codecOf(index))
    for (let count = 0; count < batches; count++) {
      for (let partition = 0; partition < PARTITIONS; partition++) await producer.send(topic, partition, batch)
    }
  }
  producer.close()
}

const spec = (topics: readonly string[]) => `topics:
${topics
  .map(
    (topic, index) => `- name: t${index}
  topic: ${topic}
  table: bronze.t${index}
  format: Json
  columns: [{name: id, value: /id, type: Long, required: true}, {name: customer, value: /customer, type: String}]
`
  )
  .join('')}batch: {triggerInterval: 10s}`

const committed = (metrics: string): number =>
  [...metrics.matchAll(/^bronze_records_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0)

interface Place {
  readonly location: string
  readonly access: string
  readonly workplace: Workplace
}

/** `spec.sink`: at a place in a bucket, or in the account. */
const SINKS: Readonly<Record<string, (place: Place) => Promise<string>>> = {
  'Delta tables on S3': async ({ location, access }) => `{delta: {location: ${location}, s3: {${access}}}}`,
  'lines of JSON on S3': async ({ location, access }) =>
    `{s3: {location: ${location}, format: Ndjson, layout: Glob, s3: {${access}}}}`,
  'Snowflake tables': async ({ workplace }) => {
    const { url, account, user, privateKey, database, warehouse } = await sharedSnowflake()
    await workplace.secret('snowflake', { user, privateKey })
    const schema = `M${randomUUID().replaceAll('-', '')}`
    const place = `account: ${account}, url: '${url}', database: ${database}, schema: ${schema}, warehouse: ${warehouse}`
    return `{snowflake: {${place}, credentialsSecretRef: {name: snowflake}}}`
  }
}

for (const [what, sinkAt] of Object.entries(SINKS)) {
  const batches = BATCHES_PER_PARTITION[what === 'Snowflake tables' ? 'standIn' : 'real']
  const megabytes = Math.round((total(batches) * RECORD_BYTES) / 1e6)
  test(
    `a consumer of 8 topics drains ${megabytes} MB from Kafka into ${what} within 256 MiB of memory`,
    { ...need('kafka', 's3', 'snowflake'), timeout: 600_000 },
    async context => await drain(context, batches, sinkAt)
  )
}

async function drain(context: TestContext, batches: number, sinkAt: (place: Place) => Promise<string>): Promise<void> {
  const [{ bootstrap }, s3] = [await sharedKafka(), await sharedS3()]
  const workplace = await Workplace.open(context)
  const cluster = new TestCluster(bootstrap)
  const name = `memory-${randomUUID()}`
  const topics = Array.from({ length: TOPICS }, (_, index) => `${name}-${index}`)
  for (const topic of topics) {
    await cluster.createTopic(topic, PARTITIONS)
    // Until the partitions have a leader.
    for (let partition = 0; partition < PARTITIONS; partition++) await cluster.produce(topic, partition, ['{"id": 1}'])
  }
  context.after(async () => {
    for (const topic of topics) await cluster.deleteTopic(topic)
    await cluster.close()
  })
  await fill(bootstrap, topics, batches)
  await s3.createBucket(name)
  await workplace.secret('lake', { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey })
  const access = `endpoint: '${s3.endpoint}', region: ${s3.region}, forcePathStyle: true, credentialsSecretRef: {name: lake}`

  const limit = await hardLimit(LIMIT_BYTES)
  context.diagnostic(limit === undefined ? 'no cgroup may be made here: the peak is judged alone' : 'within a cgroup')
  const consumer = await workplace.start({
    bootstrap,
    source: `groupId: ${name}`,
    spec: spec(topics),
    sink: await sinkAt({ location: `s3://${name}/tables`, access, workplace }),
    memoryBytes: LIMIT_BYTES,
    ...(limit === undefined ? {} : { wrapper: limit.wrapper })
  })
  context.after(async () => {
    await consumer.kill()
    await limit?.remove()
  })
  await consumer.ready()
  await consumer.until('all is drained', async () => committed(await consumer.text('/metrics')) >= total(batches))
  const peak = await peakBytes(consumer.process.pid)
  context.diagnostic(`peak ${peak === undefined ? 'unknown' : Math.round(peak / 2 ** 20)} MiB`)
  assert.equal(await consumer.stop(), 0)
  if (peak !== undefined) assert.ok(peak < LIMIT_BYTES, `peak was ${Math.round(peak / 2 ** 20)} MiB`)
  else assert.ok(limit !== undefined, 'neither a limit nor the peak can be had here')
}
