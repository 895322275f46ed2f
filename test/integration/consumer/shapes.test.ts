import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { numbered, produce, send } from '../../consumer/process/kafka.ts'
import { Workplace, span } from '../../consumer/process/workplace.ts'
import { buildBatch } from '../../consumer/source/batch-builder.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { startKafka, type KafkaServer } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'
import { peakBytes } from './memory-limit.ts'

const MEBIBYTE = 1 << 20
const LARGE_BYTES = 20 * MEBIBYTE

let server: Promise<KafkaServer> | undefined

/** A broker that takes large records and compacts at once. */
async function broker(): Promise<string> {
  const properties = {
    'message.max.bytes': 32 * MEBIBYTE,
    'socket.request.max.bytes': 64 * MEBIBYTE,
    'log.cleaner.backoff.ms': 200,
    'log.cleaner.min.compaction.lag.ms': 0
  }
  server ??= startKafka({ properties })
  return (await server).bootstrap
}

test.after(async () => (await server)?.stop())

test(
  'records of 20 MiB become rows below maxRecordBytes and dead letters above it',
  { ...need('kafka'), timeout: 400_000 },
  async context => {
    const bootstrap = await broker()
    const [workplace, cluster] = [await Workplace.open(context), new TestCluster(bootstrap)]
    context.after(() => cluster.close())
    for (const topic of ['large', 'too-large']) {
      await cluster.createTopic(topic, 2)
      for (const partition of [0, 1]) {
        for (let count = 0; count < 3; count++) await produce(bootstrap, topic, partition, [randomBytes(LARGE_BYTES)])
        await produce(bootstrap, topic, partition, numbered(1))
      }
    }
    const consumer = await workplace.start({
      bootstrap,
      spec: `topics:
- {name: large, table: bronze.large, maxRecordBytes: 24Mi}
- {name: too-large, table: bronze.other, maxRecordBytes: 16Mi}
batch: {triggerInterval: 1s}`,
      memoryBytes: 256 * MEBIBYTE
    })
    const inTables = async () => {
      const counts = ['large', 'other', 'dlq_other'].map(
        async table => (await workplace.keys(`bronze.${table}`)).length
      )
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
    }
    await consumer.until('all is in', async () => (await inTables()) >= 16)
    const peak = Math.round(((await peakBytes(consumer.process.pid)) ?? 0) / MEBIBYTE)
    context.diagnostic(`peak ${peak} MiB`)
    assert.equal(await consumer.stop(), 0)
    assert.deepEqual(await workplace.keys('bronze.large'), [...span('large', 0, 0, 4), ...span('large', 1, 0, 4)])
    assert.deepEqual(await workplace.keys('bronze.dlq_large'), [])
    assert.deepEqual(await workplace.keys('bronze.other'), ['too-large-0-3', 'too-large-1-3'])
    const letters = await workplace.rows('bronze.dlq_other')
    assert.deepEqual(
      letters.map(row => [row['_kafka_partition'], row['_kafka_offset'], row['reason'], sizeOf(row['value'])]),
      [0, 1].flatMap(partition => [0, 1, 2].map(offset => [partition, offset, 'RecordTooLarge', LARGE_BYTES]))
    )
  }
)

const sizeOf = (value: unknown): number => (value as Uint8Array).length

test(
  'topics that are empty, absent, only tombstones, or compacted are read for what is in them',
  { ...need('kafka'), timeout: 400_000 },
  async context => {
    const bootstrap = await broker()
    const [workplace, cluster] = [await Workplace.open(context), new TestCluster(bootstrap)]
    context.after(() => cluster.close())
    await cluster.createTopic('empty', 2)
    await cluster.createTopic('tombstones')
    await cluster.produce('tombstones', 0, [null, null, null])
    await cluster.createTopic('compacted', 1, {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.001',
      'max.compaction.lag.ms': '200'
    })
    for (let round = 0; round < 4; round++) {
      await cluster.produce('compacted', 0, [`a${round}`, `b${round}`])
      await new Promise(resolve => setTimeout(resolve, 300))
    }
    const consumer = await (
      await workplace.start({
        bootstrap,
        name: 'shapes',
        spec: `topics:
- {name: empty, table: bronze.empty, format: Json}
- {name: none, pattern: 'not\\.yet\\..*', table: bronze.none}
- {name: tombstones, table: bronze.tombstones, format: Json}
- {name: compacted, table: bronze.compacted}
batch: {triggerInterval: 200ms}`
      })
    ).ready()
    const keys = async (table: string) => workplace.keys(`bronze.${table}`)
    await consumer.until('tombstones are in', async () => (await keys('tombstones')).length >= 3)
    await consumer.until('the last of the compacted are in', async () =>
      (await keys('compacted')).includes('compacted-0-7')
    )
    const left = await keys('compacted')
    assert.equal(new Set(left).size, left.length)
    context.diagnostic(`compaction had left ${left.length} of 8 records`)
    assert.deepEqual(await keys('tombstones'), span('tombstones', 0, 0, 3))
    const rows = await workplace.rows('bronze.tombstones')
    assert.ok(rows.every(row => (row['value'] ?? null) === null && row['_kafka_key'] instanceof Uint8Array))
    assert.deepEqual(await keys('empty'), [])
    await cluster.createTopic('not.yet.there')
    await cluster.produce('not.yet.there', 0, ['x'])
    await consumer.until('the new topic is in', async () => (await keys('none')).length >= 1)
    assert.equal(await consumer.stop(), 0)
    assert.deepEqual(await keys('none'), ['not.yet.there-0-0'])
  }
)

test(
  'one consumer reads 500 partitions into 200 tables within the memory limit',
  { ...need('kafka'), timeout: 400_000 },
  async context => {
    const bootstrap = await broker()
    const [workplace, cluster] = [await Workplace.open(context), new TestCluster(bootstrap)]
    context.after(() => cluster.close())
    await cluster.createTopic('wide', 301)
    const topics = Array.from({ length: 199 }, (_, index) => `many-${index}`)
    for (const topic of topics) await cluster.createTopic(topic)
    const batch = buildBatch({ baseOffset: 0, records: [{ key: 'k', value: randomUUID() }, { value: null }] })
    for (let partition = 0; partition < 301; partition++) await send(bootstrap, 'wide', partition, batch)
    for (const topic of topics) await send(bootstrap, topic, 0, batch)
    const consumer = await workplace.start({
      bootstrap,
      name: 'many',
      spec: `topics:\n${['wide', ...topics].map(topic => `- {name: ${topic}, table: bronze.${topic.replace('-', '_')}}\n`).join('')}batch: {triggerInterval: 1s}`,
      memoryBytes: 256 * MEBIBYTE
    })
    const startedMs = performance.now()
    await consumer.ready()
    context.diagnostic(`ready after ${Math.round(performance.now() - startedMs)} ms`)
    const count = async () =>
      [...(await consumer.text('/metrics')).matchAll(/^bronze_records_total\{.*\} (\d+)$/gm)].reduce(
        (sum, [, each]) => sum + Number(each),
        0
      )
    await consumer.until('all is in', async () => (await count()) >= 1000)
    context.diagnostic(`all in after ${Math.round(performance.now() - startedMs)} ms`)
    const peak = Math.round(((await peakBytes(consumer.process.pid)) ?? 0) / MEBIBYTE)
    context.diagnostic(`peak ${peak} MiB`)
    assert.equal(await consumer.stop(), 0)
    assert.ok(peak < 256, `peak was ${peak} MiB`)
    assert.equal((await workplace.rows('bronze.wide')).length, 602)
    for (const topic of topics)
      assert.deepEqual(await workplace.keys(`bronze.${topic.replace('-', '_')}`), span(topic, 0, 0, 2))
  }
)
