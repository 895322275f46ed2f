import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kafka from '@platformatic/kafka'
import { withBroker } from './with-broker.ts'

test('two kafkajs consumers share a topic; when one leaves, the other has it all', () =>
  withBroker({}, async (broker, { kafkajs }) => {
    broker.createTopic('orders', { partitions: 4 })
    const owned: Record<string, number[]> = {}
    const start = async (name: string) => {
      const consumer = kafkajs.consumer({ groupId: 'group', maxWaitTimeInMs: 50, heartbeatInterval: 50 })
      consumer.on('consumer.group_join', ({ payload }) => {
        owned[name] = [...(payload.memberAssignment['orders'] ?? [])]
      })
      await consumer.connect()
      await consumer.subscribe({ topic: 'orders' })
      const joined = new Promise(resolve => consumer.on('consumer.group_join', resolve))
      await consumer.run({ eachMessage: () => Promise.resolve() })
      await joined
      return consumer
    }
    const first = await start('first')
    const second = await start('second')
    await until(() => owned['first']?.length === 2 && owned['second']?.length === 2)
    assert.deepEqual(
      [...(owned['first'] ?? []), ...(owned['second'] ?? [])].sort((a, b) => a - b),
      [0, 1, 2, 3]
    )
    await first.disconnect()
    await until(() => owned['second']?.length === 4)
    await second.disconnect()
  }))

test('a static member of the other client is back after a crash with the same partitions in the same generation', () =>
  withBroker({}, async broker => {
    broker.createTopic('orders', { partitions: 2 })
    const join = async () => {
      const consumer = new kafka.Consumer({
        clientId: 'test',
        groupId: 'group',
        groupInstanceId: 'slot-0',
        bootstrapBrokers: [broker.bootstrap]
      })
      consumer.topics.trackAll('orders')
      await consumer.joinGroup({ sessionTimeout: 6000, heartbeatInterval: 3000 })
      return consumer
    }
    const crashed = await join()
    const { memberId, generationId } = crashed
    const back = await join()
    assert.equal(back.generationId, generationId)
    assert.notEqual(back.memberId, memberId)
    assert.deepEqual(back.assignments, crashed.assignments)
    await crashed.close(true).catch(() => {}) // fenced, it cannot leave
    await back.close(true)
  }))

test('every version of the group requests carries a member from joining to leaving', () =>
  withBroker({}, async (_broker, { connection }) => {
    const api = (name: string, version: number): ClientApi =>
      (kafka as unknown as Record<string, { api: ClientApi }>)[`${name}V${version}`]?.api as ClientApi
    for (let version = 0; version <= 9; version++) {
      const groupId = `group-${version}`
      const instance = version >= 5 && version % 2 === 0 ? 'slot-0' : null
      const join = (memberId: string) =>
        api('joinGroup', version).async(
          connection,
          groupId,
          10_000,
          10_000,
          memberId,
          instance,
          'consumer',
          [{ name: 'range', metadata: Buffer.from('m') }],
          ''
        )
      const joined = await join('').catch((error: unknown) => {
        assert.ok(error instanceof kafka.ResponseError && version >= 4 && instance === null, `JoinGroup v${version}`)
        return join((error.response as { memberId: string }).memberId)
      })
      const { memberId, generationId, members } = joined as {
        memberId: string
        generationId: number
        members: unknown[]
      }
      assert.equal(members.length, 1, `JoinGroup v${version}`)
      const assignments = [{ memberId, assignment: Buffer.from('mine') }]
      const synced = await api('syncGroup', Math.min(version, 5)).async(
        connection,
        groupId,
        generationId,
        memberId,
        instance,
        'consumer',
        'range',
        assignments
      )
      assert.equal(String(synced['assignment']), 'mine', `SyncGroup v${version}`)
      const beaten = await api('heartbeat', Math.min(version, 4)).async(
        connection,
        groupId,
        generationId,
        memberId,
        instance
      )
      assert.equal(beaten['errorCode'], 0)
      const left = await api('leaveGroup', Math.min(version, 5)).async(connection, groupId, [
        { memberId, groupInstanceId: instance, reason: 'done' }
      ])
      assert.equal(left['errorCode'], 0)
    }
  }))

interface ClientApi {
  async(connection: kafka.Connection, ...args: readonly unknown[]): Promise<Record<string, unknown>>
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setTimeout(resolve, 10))
}
