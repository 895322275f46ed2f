import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kafka from '@platformatic/kafka'
import { withBroker } from './with-broker.ts'

const LIST_OFFSETS = 2
const CREATE_TOPICS = 19

const list = (connection: kafka.Connection, name: string) =>
  kafka.listOffsetsV9.api.async(connection, -1, 0, [
    { name, partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }] }
  ])

const create = (connection: kafka.Connection, name: string) =>
  kafka.createTopicsV7.api.async(
    connection,
    [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    1000,
    false
  )

test('an error is answered for one topic and not for another', () =>
  withBroker({}, async (broker, { connection }) => {
    broker.createTopic('good')
    broker.createTopic('bad')
    broker.faults.intercept(({ apiKey }) => (apiKey === LIST_OFFSETS ? { errorCode: 6, topic: 'bad' } : 'pass'))
    await list(connection, 'good')
    await assert.rejects(list(connection, 'bad'), kafka.ResponseError)
    broker.faults.clear()
    await list(connection, 'bad')
  }))

test('a request dropped before has no effect, one dropped after has had it', async () => {
  for (const [fault, exists] of [
    ['dropBefore', false],
    ['dropAfter', true]
  ] as const)
    await withBroker({}, async (broker, { connection }) => {
      broker.faults.onRequest(CREATE_TOPICS, 2, fault)
      await create(connection, 'first')
      await assert.rejects(create(connection, 'second'), kafka.NetworkError)
      if (exists) assert.equal(broker.endOffset('second', 0), 0)
      else assert.throws(() => broker.endOffset('second', 0), /no topic second/)
    })
})

test('a delayed answer comes all the same, and a stop does not wait for it', () =>
  withBroker({}, async (broker, { connection }) => {
    broker.createTopic('orders')
    broker.faults.onRequest(LIST_OFFSETS, 1, { delayMs: 5 })
    await list(connection, 'orders')
    broker.faults.onRequest(LIST_OFFSETS, 1, { delayMs: 3_600_000 })
    const never = list(connection, 'orders')
    never.catch(() => {})
  }))

test('a connection without the password gets nowhere; with it, everywhere', () =>
  withBroker({ users: { bronze: 'secret' } }, async (broker, { connection }) => {
    broker.createTopic('orders')
    await assert.rejects(list(connection, 'orders'), kafka.NetworkError)
    const names = async (password: string) => {
      const sasl = { mechanism: 'PLAIN', username: 'bronze', password } as const
      const admin = new kafka.Admin({ clientId: 'test', bootstrapBrokers: [broker.bootstrap], sasl, retries: 0 })
      try {
        return await admin.listTopics()
      } finally {
        await admin.close()
      }
    }
    assert.deepEqual(await names('secret'), ['orders'])
    await assert.rejects(names('wrong'))
  }))
