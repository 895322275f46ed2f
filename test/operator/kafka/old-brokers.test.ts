import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import { systemClock } from '../../../lib/clock.ts'
import { Coordinators } from '../../../operator/kafka/coordinators.ts'
import { fetchOffsets } from '../../../operator/kafka/group-requests.ts'
import { createCluster } from '../../../operator/kafka/internals.ts'
import type { FetchedGroup } from '../../../operator/kafka/newer-requests.ts'
import { Nodes } from '../../../operator/kafka/nodes.ts'
import { commitOffsets } from './commit-offsets.ts'

const [OFFSET_FETCH, FIND_COORDINATOR] = [9, 10] as const

test('a broker that knows no request for many groups is asked for each, with the same answers', async context => {
  const broker = await startBroker({})
  broker.createTopic('orders')
  await commitOffsets(broker.bootstrap, 'a', 'orders', [{ partition: 0, offset: 0, metadata: 'of a' }])
  const cluster = createCluster(
    new Kafka({ clientId: 'test', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
  )
  context.after(async () => {
    await cluster.disconnect()
    await broker.stop()
  })
  const nodes = new Nodes(cluster, systemClock)
  await nodes.look([])
  const asked = new Map<string, number>()
  broker.faults.intercept(({ apiKey, apiVersion }) => {
    const name = `${apiKey} v${apiVersion}`
    asked.set(name, (asked.get(name) ?? 0) + 1)
    return 'pass'
  })
  const look = async () => {
    const coordinators = new Coordinators(nodes, systemClock)
    const asks = ['a', 'b'].map(groupId => {
      const { promise, resolve, reject } = Promise.withResolvers<FetchedGroup>()
      const item = { groupId, topics: [{ topic: 'orders', partitions: [{ partition: 0 }] }] }
      return { item, resolve, reject, promise }
    })
    await coordinators.answer(asks, 10, fetchOffsets)
    const groups = await Promise.all(asks.map(({ promise }) => promise))
    return groups.map(({ groupId, responses }) => {
      const [partition] = responses[0]?.partitions ?? []
      return [groupId, Number(partition?.offset), partition?.metadata ?? '']
    })
  }
  const expected = [
    ['a', 0, 'of a'],
    ['b', -1, '']
  ]
  assert.deepEqual(await look(), expected)
  assert.deepEqual(Object.fromEntries(asked), { '10 v4': 1, '9 v8': 1 })
  asked.clear()
  for (const { versions } of Object.values(cluster.brokerPool.brokers)) {
    const older = versions as Record<string, { maxVersion: number }>
    older[OFFSET_FETCH] = { maxVersion: 7 }
    older[FIND_COORDINATOR] = { maxVersion: 3 }
  }
  assert.deepEqual(await look(), expected)
  assert.deepEqual(Object.fromEntries(asked), { '10 v2': 2, '9 v4': 2 })
})
