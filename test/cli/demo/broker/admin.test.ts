import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajsModule from 'kafkajs'
import * as kafka from '@platformatic/kafka'
import { withBroker } from './with-broker.ts'

test('kafkajs, as the operator uses it, makes, grows, describes, trims and deletes topics', () =>
  withBroker({ defaultPartitions: 2 }, async (_broker, { kafkajs }) => {
    const admin = kafkajs.admin()
    await admin.connect()
    const cluster = await admin.describeCluster()
    assert.deepEqual(
      cluster.brokers.map(({ nodeId }) => nodeId),
      [cluster.controller]
    )
    const made = { topic: 'orders', configEntries: [{ name: 'retention.ms', value: '1000' }] }
    assert.equal(await admin.createTopics({ topics: [made, { topic: 'other', numPartitions: 1 }] }), true)
    assert.equal(await admin.createTopics({ topics: [made] }), false)
    await admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 5 }] })
    await assert.rejects(admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 3 }] }))
    const described = await admin.fetchTopicMetadata({ topics: ['orders'] })
    assert.equal(described.topics[0]?.partitions.length, 5)
    const resources = [{ type: kafkajsModule.ConfigResourceTypes.TOPIC, name: 'orders', configNames: ['retention.ms'] }]
    const configs = await admin.describeConfigs({ resources, includeSynonyms: false })
    assert.equal(configs.resources[0]?.configEntries[0]?.configValue, '1000')
    const producer = kafkajs.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: ['a', 'b', 'c'].map(value => ({ value, partition: 4 })) })
    await producer.disconnect()
    await admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 4, offset: '2' }] })
    const bounds = await admin.fetchTopicOffsets('orders')
    assert.deepEqual(
      bounds.find(({ partition }) => partition === 4),
      { partition: 4, offset: '3', high: '3', low: '2' }
    )
    await admin.deleteTopics({ topics: ['orders'] })
    assert.deepEqual(await admin.listTopics(), ['other'])
    await assert.rejects(admin.deleteTopics({ topics: ['orders'] }))
    await admin.disconnect()
  }))

test('kafkajs sees a group from its members to its end', () =>
  withBroker({}, async (broker, { kafkajs }) => {
    broker.createTopic('orders')
    const admin = kafkajs.admin()
    const consumer = kafkajs.consumer({ groupId: 'group', maxWaitTimeInMs: 50 })
    await Promise.all([admin.connect(), consumer.connect()])
    await consumer.subscribe({ topic: 'orders' })
    const joined = new Promise(resolve => consumer.on('consumer.group_join', resolve))
    await consumer.run({ eachMessage: () => Promise.resolve() })
    await joined
    const describe = async () => (await admin.describeGroups(['group'])).groups[0]
    const during = await describe()
    assert.deepEqual([during?.state, during?.protocolType, during?.members.length], ['Stable', 'consumer', 1])
    await assert.rejects(admin.deleteGroups(['group']))
    await consumer.disconnect()
    assert.equal((await describe())?.state, 'Empty')
    assert.deepEqual((await admin.listGroups()).groups, [{ groupId: 'group', protocolType: 'consumer' }])
    await admin.deleteGroups(['group'])
    assert.equal((await describe())?.state, 'Dead')
    await admin.disconnect()
  }))

test('committed offsets keep their metadata, up to 4096 bytes, and go with their topic', () =>
  withBroker({}, async (broker, { connection }) => {
    broker.createTopic('orders')
    const commit = (committedMetadata: string) => {
      const partition = { partitionIndex: 0, committedOffset: 7n, committedLeaderEpoch: 0, committedMetadata }
      return kafka.offsetCommitV8.api.async(connection, 'g', -1, '', null, [
        { name: 'orders', partitions: [partition] }
      ])
    }
    const fetched = async () => {
      const wanted = { groupId: 'g', memberId: null, memberEpoch: -1, topics: null }
      const answer = await kafka.offsetFetchV9.api.async(connection, [wanted] as never, false)
      return answer.groups[0]?.topics.map(({ name, partitions }) => [name, partitions[0]?.metadata])
    }
    const most = 'x'.repeat(4096)
    await commit(most)
    assert.deepEqual(await fetched(), [['orders', most]])
    await assert.rejects(commit(`${most}x`), kafka.ResponseError)
    broker.deleteTopic('orders')
    broker.createTopic('orders')
    assert.deepEqual(await fetched(), [])
  }))
