import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kafka from '@platformatic/kafka'
import { CompressionTypes } from 'kafkajs'
import type { EmbeddedBroker } from '../../../../cli/demo/broker/broker.ts'
import { withBroker } from './with-broker.ts'

/** Produces each value as a batch of its own. */
async function produce(broker: EmbeddedBroker, topic: string, values: readonly string[], compression = 'none') {
  const producer = new kafka.Producer({ clientId: 'test', bootstrapBrokers: [broker.bootstrap] })
  for (const value of values)
    await producer.send({
      messages: [{ topic, partition: 0, value: Buffer.from(value) }],
      acks: -1,
      compression: compression as 'none'
    })
  await producer.close()
}

interface Wanted {
  topicId: string
  fetchOffset: bigint
  maxWaitMs?: number
  minBytes?: number
  maxBytes?: number
  currentLeaderEpoch?: number
  lastFetchedEpoch?: number
}

/** One partition's part of one Fetch v17. */
async function fetch(connection: kafka.Connection, wanted: Wanted) {
  const { topicId, fetchOffset, maxWaitMs = 0, minBytes = 1, maxBytes = 1_000_000 } = wanted
  const { currentLeaderEpoch = -1, lastFetchedEpoch = -1 } = wanted
  const partition = { partition: 0, fetchOffset, currentLeaderEpoch, lastFetchedEpoch, partitionMaxBytes: maxBytes }
  const topics = [{ topicId, partitions: [partition] }]
  const answer = await kafka.fetchV17.api
    .async(connection, maxWaitMs, minBytes, maxBytes, 0, 0, -1, topics, [], '')
    .catch((error: unknown) => {
      if (error instanceof kafka.ResponseError) return error.response as ReturnType<typeof kafka.fetchV17.parseResponse>
      throw error
    })
  const found = answer.responses[0]?.partitions[0]
  assert.ok(found)
  return found
}

test('batches of every codec come back as they went in, to both clients', () =>
  withBroker({}, async (broker, { kafkajs }) => {
    broker.createTopic('orders')
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    for (const codec of codecs) await produce(broker, 'orders', [codec.repeat(100)], codec)
    const consumer = new kafka.Consumer({ clientId: 'test', groupId: 'g', bootstrapBrokers: [broker.bootstrap] })
    const stream = await consumer.consume({ topics: ['orders'], mode: 'earliest', maxWaitTime: 50 })
    const got: string[] = []
    for await (const { value } of stream) if (got.push(String(value)) === codecs.length) break
    await consumer.close(true)
    assert.deepEqual(
      got,
      codecs.map(codec => codec.repeat(100))
    )
    const producer = kafkajs.producer()
    await producer.connect()
    const [sent] = await producer.send({
      topic: 'orders',
      compression: CompressionTypes.GZIP,
      messages: [{ value: 'last' }]
    })
    assert.equal(sent?.baseOffset, String(codecs.length))
    await producer.disconnect()
  }))

test("a topic with LogAppendTime stamps the broker's time, under a checksum that holds", () =>
  withBroker({ clock: () => 1_234_567_890_123 }, async (broker, { connection }) => {
    const { topicId } = broker.createTopic('orders', { timestampType: 'LogAppendTime' })
    await produce(broker, 'orders', ['a'])
    const { records } = await fetch(connection, { topicId, fetchOffset: 0n })
    assert.equal(records?.[0]?.maxTimestamp, 1_234_567_890_123n)
    assert.equal((records?.[0]?.attributes ?? 0) & 8, 8)
  }))

test('a fetch at the end waits for what comes, and is answered as soon as it is there', () =>
  withBroker({}, async (broker, { connection }) => {
    const { topicId } = broker.createTopic('orders')
    const waiting = fetch(connection, { topicId, fetchOffset: 0n, maxWaitMs: 60_000 })
    await produce(broker, 'orders', ['a'])
    assert.equal((await waiting).records?.length, 1)
    const empty = await fetch(connection, { topicId, fetchOffset: 1n, maxWaitMs: 1 })
    assert.deepEqual([empty.errorCode, empty.highWatermark, empty.records?.length ?? 0], [0, 1n, 0])
  }))

test('a limit cuts a fetch, but never its first batch', () =>
  withBroker({}, async (broker, { connection }) => {
    const { topicId } = broker.createTopic('orders')
    await produce(broker, 'orders', ['a'.repeat(1000), 'b'.repeat(1000), 'c'])
    const small = await fetch(connection, { topicId, fetchOffset: 0n, maxBytes: 10 })
    assert.deepEqual(
      small.records?.map(batch => batch.firstOffset),
      [0n]
    )
    const all = await fetch(connection, { topicId, fetchOffset: 1n })
    assert.deepEqual(
      all.records?.map(batch => batch.firstOffset),
      [1n, 2n]
    )
  }))

test('loss is told as Kafka tells it: below the start, beyond the end, another topic id, another history', () =>
  withBroker({}, async (broker, { connection }) => {
    const { topicId } = broker.createTopic('orders')
    await produce(broker, 'orders', ['a', 'b', 'c', 'd'])
    broker.deleteRecords('orders', 0, 2)
    assert.equal((await fetch(connection, { topicId, fetchOffset: 1n })).errorCode, 1)
    const kept = await fetch(connection, { topicId, fetchOffset: 2n })
    assert.deepEqual([kept.errorCode, kept.logStartOffset, kept.highWatermark], [0, 2n, 4n])
    assert.equal((await fetch(connection, { topicId, fetchOffset: 5n })).errorCode, 1)

    broker.truncate('orders', 0, 3)
    assert.equal(broker.endOffset('orders', 0), 3)
    assert.equal((await fetch(connection, { topicId, fetchOffset: 3n, currentLeaderEpoch: 0 })).errorCode, 74)
    assert.equal((await fetch(connection, { topicId, fetchOffset: 3n, currentLeaderEpoch: 2 })).errorCode, 75)
    const diverged = await fetch(connection, { topicId, fetchOffset: 4n, currentLeaderEpoch: 1, lastFetchedEpoch: 0 })
    assert.deepEqual([diverged.errorCode, diverged.divergingEpoch], [0, { epoch: 0, endOffset: 3n }])
    await produce(broker, 'orders', ['new'])
    const after = await fetch(connection, { topicId, fetchOffset: 3n, currentLeaderEpoch: 1, lastFetchedEpoch: 0 })
    assert.deepEqual(
      after.records?.map(batch => batch.partitionLeaderEpoch),
      [1]
    )

    broker.deleteTopic('orders')
    const again = broker.createTopic('orders')
    assert.notEqual(again.topicId, topicId)
    assert.equal((await fetch(connection, { topicId, fetchOffset: 0n })).errorCode, 100)
    assert.equal((await fetch(connection, { topicId: again.topicId, fetchOffset: 0n })).errorCode, 0)
  }))

test('a partition over its limit raises its log start', () =>
  withBroker({ retentionBytesPerPartition: 100_000 }, async (broker, { kafkajs }) => {
    broker.createTopic('orders')
    await produce(
      broker,
      'orders',
      Array.from({ length: 40 }, () => 'x'.repeat(10_000))
    )
    const admin = kafkajs.admin()
    await admin.connect()
    const [bounds] = await admin.fetchTopicOffsets('orders')
    await admin.disconnect()
    assert.equal(bounds?.high, '40')
    assert.ok(Number(bounds?.low) > 0 && Number(bounds?.low) < 40, `log start ${bounds?.low}`)
  }))

test('offsets are found by time, within compressed batches too', () =>
  withBroker({}, async (broker, { kafkajs }) => {
    broker.createTopic('orders')
    const producer = kafkajs.producer()
    await producer.connect()
    const messages = [1000, 2000, 3000].map(time => ({ value: 'x', timestamp: String(time) }))
    await producer.send({ topic: 'orders', compression: CompressionTypes.GZIP, messages })
    await producer.send({ topic: 'orders', messages: [{ value: 'x', timestamp: '4000' }] })
    await producer.disconnect()
    const admin = kafkajs.admin()
    await admin.connect()
    const at = async (time: number) => (await admin.fetchTopicOffsetsByTimestamp('orders', time))[0]?.offset
    assert.deepEqual(
      [await at(1), await at(1001), await at(3000), await at(3001), await at(4001)],
      ['0', '1', '2', '3', '4']
    )
    await admin.disconnect()
  }))

test('an idempotent producer that repeats a batch has it stored once', () =>
  withBroker({}, async (broker, { kafkajs }) => {
    broker.createTopic('orders')
    const producer = kafkajs.producer({ idempotent: true, retry: { initialRetryTime: 1, retries: 5 } })
    await producer.connect()
    broker.faults.onRequest(0, 1, 'dropAfter')
    await producer.send({ topic: 'orders', messages: [{ value: 'once' }] })
    await producer.send({ topic: 'orders', messages: [{ value: 'then' }] })
    await producer.disconnect()
    assert.equal(broker.endOffset('orders', 0), 2)
  }))
