import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import { systemClock } from '../../../lib/clock.ts'
import { KafkaCluster } from '../../../operator/kafka/cluster.ts'
import { commitOffsets } from './commit-offsets.ts'

const GROUP = 'bronze.lake.shop'

async function given(context: TestContext) {
  const broker = await startBroker({})
  broker.createTopic('orders', { partitions: 2 })
  const cluster = new KafkaCluster([broker.bootstrap], {}, systemClock)
  context.after(async () => {
    await cluster.close()
    await broker.stop()
  })
  const group = await cluster.group(GROUP)
  const held = async () =>
    (await cluster.offsets(GROUP, ['orders'])).offsets.map(({ committed, metadata }) => [committed, metadata])
  const commit = () =>
    commitOffsets(broker.bootstrap, GROUP, 'orders', [
      { partition: 0, offset: 0, metadata: 'report' },
      { partition: 1, offset: 0, metadata: 'report' }
    ])
  return { broker, group, held, commit }
}

test('a group that nobody knows has no members, and can be deleted', async context => {
  const { group } = await given(context)
  assert.equal(await group.countMembers(), 0)
  await group.delete()
})

test('a group without members forgets all its offsets, or takes others', async context => {
  const { group, held, commit } = await given(context)
  await commit()
  assert.deepEqual(await held(), [
    [0, 'report'],
    [0, 'report']
  ])
  await group.set([{ topic: 'orders', partition: 1, offset: 0 }])
  assert.deepEqual(await held(), [
    [0, 'report'],
    [0, '']
  ])
  await group.delete()
  assert.deepEqual(await held(), [
    [undefined, ''],
    [undefined, '']
  ])
})

test('a group with members counts them, and keeps what it holds', async context => {
  const { broker, group, held, commit } = await given(context)
  await commit()
  const kafka = new Kafka({ clientId: 'test', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: GROUP })
  const joined = Promise.withResolvers<void>()
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve())
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders' })
  await consumer.run({ autoCommit: false, eachMessage: async () => {} })
  await joined.promise
  assert.equal(await group.countMembers(), 1)
  await assert.rejects(group.delete(), { code: 'GroupInUse', message: /has members: stop the consumers first/ })
  await assert.rejects(group.set([{ topic: 'orders', partition: 0, offset: 0 }]), { code: 'GroupInUse' })
  assert.deepEqual(await held(), [
    [0, 'report'],
    [0, 'report']
  ])
  await consumer.disconnect()
})
