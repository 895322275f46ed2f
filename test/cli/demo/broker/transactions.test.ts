import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kafka from '@platformatic/kafka'
import type { Kafka } from 'kafkajs'
import type { EmbeddedBroker } from '../../../../cli/demo/broker/broker.ts'
import { withBroker } from './with-broker.ts'

test('read_committed sees what was committed and no more, in both clients', () =>
  withBroker({}, async (broker, { kafkajs }) => {
    broker.createTopic('orders')
    const producer = kafkajs.producer({ transactionalId: 'tx', maxInFlightRequests: 1 })
    await producer.connect()
    for (const [value, ends] of [
      ['a', 'commit'],
      ['b', 'abort'],
      ['c', 'commit']
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'orders', messages: [{ value }] })
      await transaction[ends]()
    }
    const open = await producer.transaction()
    await open.send({ topic: 'orders', messages: [{ value: 'open' }] })
    assert.deepEqual(await readAll(broker, kafkajs, 2), { kafkajs: ['a', 'c'], platformatic: ['a', 'c'] })
    const stable = await stableEnds(broker)
    assert.deepEqual(stable, { committed: 6n, uncommitted: 7n })
    await open.commit()
    assert.deepEqual(await readAll(broker, kafkajs, 3), {
      kafkajs: ['a', 'c', 'open'],
      platformatic: ['a', 'c', 'open']
    })
    await producer.disconnect()
  }))

test('offsets sent in a transaction count from its commit on', () =>
  withBroker({}, async (broker, { kafkajs }) => {
    broker.createTopic('orders')
    const producer = kafkajs.producer({ transactionalId: 'tx', maxInFlightRequests: 1 })
    const admin = kafkajs.admin()
    await Promise.all([producer.connect(), admin.connect()])
    const offset = async () =>
      (await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] }))[0]?.partitions[0]?.offset
    for (const ends of ['abort', 'commit'] as const) {
      const transaction = await producer.transaction()
      const topics = [{ topic: 'orders', partitions: [{ partition: 0, offset: '5' }] }]
      await transaction.sendOffsets({ consumerGroupId: 'g', topics })
      assert.equal(await offset(), '-1')
      await transaction[ends]()
    }
    assert.equal(await offset(), '5')
    await Promise.all([producer.disconnect(), admin.disconnect()])
  }))

async function readAll(broker: EmbeddedBroker, kafkajs: Kafka, count: number) {
  const groupId = `group-${count}`
  const first: string[] = []
  const consumer = kafkajs.consumer({ groupId, maxWaitTimeInMs: 50, readUncommitted: false })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      if (first.push(String(message.value)) >= count) resolve()
      return Promise.resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  const second: string[] = []
  const other = new kafka.Consumer({ clientId: 'test', groupId: `${groupId}-2`, bootstrapBrokers: [broker.bootstrap] })
  const options: kafka.ConsumeOptions<Buffer, Buffer, Buffer, Buffer> = {
    topics: ['orders'],
    mode: 'earliest',
    maxWaitTime: 50,
    isolationLevel: kafka.FetchIsolationLevels.READ_COMMITTED
  }
  const stream: AsyncIterable<{ value: Buffer }> = await other.consume(options)
  for await (const { value } of stream) if (second.push(String(value)) >= count) break
  await other.close(true)
  return { kafkajs: first, platformatic: second }
}

async function stableEnds(broker: EmbeddedBroker) {
  const admin = new kafka.Admin({ clientId: 'test', bootstrapBrokers: [broker.bootstrap] })
  const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1n }] }]
  const { READ_COMMITTED, READ_UNCOMMITTED } = kafka.FetchIsolationLevels
  const end = async (isolationLevel: kafka.FetchIsolationLevelValue) => {
    const listed: kafka.ListedOffsetsTopic[] = await admin.listOffsets({ topics, isolationLevel })
    return listed[0]?.partitions[0]?.offset
  }
  const ends = { committed: await end(READ_COMMITTED), uncommitted: await end(READ_UNCOMMITTED) }
  await admin.close()
  return ends
}
