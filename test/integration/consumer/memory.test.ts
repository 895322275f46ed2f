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
import { hardLimit, peakBytes } from './memory-limit.ts'

const LIMIT_BYTES = 256 << 20
const TOPICS = 8
const PARTITIONS = 3
const RECORDS_PER_BATCH = 1000
const BATCHES_PER_PARTITION = 42
const RECORD_BYTES = 431
const TOTAL = TOPICS * PARTITIONS * (RECORDS_PER_BATCH * BATCHES_PER_PARTITION + 1)

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

async function fill(bootstrap: string, topics: readonly string[]): Promise<void> {
  const [host = '', port = ''] = bootstrap.split(':')
  const producer = await DemoProducer.connect(host, Number(port))
  for (const [index, topic] of topics.entries()) {
    const batch = batchOf(codecOf(index))
    for (let count = 0; count < BATCHES_PER_PARTITION; count++) {
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

/** `spec.sink` at a place in a bucket. */
const SINKS: Readonly<Record<string, (location: string, access: string) => string>> = {
  'Delta tables': (location, access) => `{delta: {location: ${location}, s3: {${access}}}}`,
  'lines of JSON': (location, access) => `{s3: {location: ${location}, format: Ndjson, layout: Glob, s3: {${access}}}}`
}

for (const [what, sinkAt] of Object.entries(SINKS)) {
  test(
    `a consumer of 8 topics drains 430 MB from Kafka into ${what} on S3 within 256 MiB of memory`,
    { ...need('kafka', 's3'), timeout: 600_000 },
    async context => await drain(context, sinkAt)
  )
}

async function drain(context: TestContext, sinkAt: (location: string, access: string) => string): Promise<void> {
  assert.ok(TOTAL * RECORD_BYTES > 400e6)
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
  await fill(bootstrap, topics)
  await s3.createBucket(name)
  await workplace.secret('lake', { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey })
  const access = `endpoint: '${s3.endpoint}', region: ${s3.region}, forcePathStyle: true, credentialsSecretRef: {name: lake}`

  const limit = await hardLimit(LIMIT_BYTES)
  context.diagnostic(limit === undefined ? 'no cgroup may be made here: the peak is judged alone' : 'within a cgroup')
  const consumer = await workplace.start({
    bootstrap,
    source: `groupId: ${name}`,
    spec: spec(topics),
    sink: sinkAt(`s3://${name}/tables`, access),
    memoryBytes: LIMIT_BYTES,
    ...(limit === undefined ? {} : { wrapper: limit.wrapper })
  })
  context.after(async () => {
    await consumer.kill()
    await limit?.remove()
  })
  await consumer.ready()
  await consumer.until('all is drained', async () => committed(await consumer.text('/metrics')) >= TOTAL)
  const peak = await peakBytes(consumer.process.pid)
  context.diagnostic(`peak ${peak === undefined ? 'unknown' : Math.round(peak / 2 ** 20)} MiB`)
  assert.equal(await consumer.stop(), 0)
  if (peak !== undefined) assert.ok(peak < LIMIT_BYTES, `peak was ${Math.round(peak / 2 ** 20)} MiB`)
  else assert.ok(limit !== undefined, 'neither a limit nor the peak can be had here')
}
