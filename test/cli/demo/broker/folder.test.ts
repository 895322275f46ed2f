import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { offsetCommitV8 } from '@platformatic/kafka'
import { type EmbeddedBroker, startBroker } from '../../../../cli/demo/broker/broker.ts'
import { type Clients, withBroker } from './with-broker.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bronze-broker-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function send({ kafkajs }: Clients, values: readonly string[], transactionalId?: string) {
  const producer = kafkajs.producer(transactionalId === undefined ? {} : { transactionalId, maxInFlightRequests: 1 })
  await producer.connect()
  const batch = { topic: 'orders', messages: values.map(value => ({ value })) }
  if (transactionalId === undefined) await producer.send(batch)
  else {
    const transaction = await producer.transaction()
    await transaction.send(batch)
    await transaction.abort()
  }
  await producer.disconnect()
}

async function read({ kafkajs }: Clients, count: number): Promise<string[]> {
  const consumer = kafkajs.consumer({ groupId: `g${Math.random()}`, maxWaitTimeInMs: 50 })
  const got: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await new Promise<void>(resolve => {
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      if (got.push(String(message.value)) >= count) resolve()
      return Promise.resolve()
    }
    void consumer.run({ eachMessage })
  })
  await consumer.disconnect()
  return got
}

test('topics, records, transactions and offsets are there after a restart', async () => {
  const topicId = await withBroker({ folder }, async (broker, clients) => {
    const made = broker.createTopic('orders', { partitions: 1 })
    await send(clients, ['a', 'b'])
    await send(clients, ['aborted'], 'tx')
    await send(clients, ['c'])
    broker.deleteRecords('orders', 0, 1)
    const partitions = [{ partitionIndex: 0, committedOffset: 2n, committedLeaderEpoch: 0, committedMetadata: 'note' }]
    await offsetCommitV8.api.async(clients.connection, 'g', -1, '', null, [{ name: 'orders', partitions }])
    return made.topicId
  })
  await withBroker({ folder }, async (broker, clients) => {
    const admin = clients.kafkajs.admin()
    await admin.connect()
    assert.deepEqual(await admin.fetchTopicOffsets('orders'), [{ partition: 0, offset: '5', high: '5', low: '1' }])
    assert.equal((await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] }))[0]?.partitions[0]?.offset, '2')
    await admin.disconnect()
    assert.deepEqual(await read(clients, 2), ['b', 'c'])
    broker.truncate('orders', 0, 2)
    await send(clients, ['new'])
    assert.equal(broker.endOffset('orders', 0), 3)
  })
  assert.deepEqual(readdirSync(join(folder, 'topics')), [topicId])
  await withBroker({ folder }, async (_broker, clients) => assert.deepEqual(await read(clients, 2), ['b', 'new']))
})

test('the torn end of a log is cut off, and writing goes on there', async () => {
  const { topicId } = await withBroker({ folder }, async (broker, clients) => {
    const made = broker.createTopic('orders')
    await send(clients, ['a'])
    return made
  })
  const partition = join(folder, 'topics', topicId, '0')
  for (const file of readdirSync(partition)) appendFileSync(join(partition, file), Buffer.alloc(100, 7))
  await withBroker({ folder }, async (broker, clients) => {
    assert.equal(broker.endOffset('orders', 0), 1)
    await send(clients, ['b'])
    assert.deepEqual(await read(clients, 2), ['a', 'b'])
  })
})

test('a deleted topic leaves nothing behind', async () => {
  const broker: EmbeddedBroker = await startBroker({ folder })
  broker.createTopic('orders', { partitions: 3 })
  broker.deleteTopic('orders')
  await broker.stop()
  assert.deepEqual(readdirSync(join(folder, 'topics')), [])
})
