import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import type { Fault } from '../../../cli/demo/broker/faults.ts'
import type { PartitionId } from '../../../consumer/partition.ts'
import { Outage } from '../../../consumer/source/outage.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import { TestSource, pollUntil } from './harness.ts'
import { firstOf, numbered } from './laws/law.ts'
import { TestCluster } from './test-cluster.ts'

const FETCH = 1
const LIST_OFFSETS = 2
const METADATA = 3
const OFFSET_COMMIT = 8
const FIND_COORDINATOR = 10
const JOIN_GROUP = 11
const HEARTBEAT = 12
const SYNC_GROUP = 14
const CLIENT = 'consumer-0'

const broker = await startBroker()
const cluster = new TestCluster(broker.bootstrap)
let count = 0
let topic = ''

beforeEach(() => {
  topic = `faulty-${++count}`
  broker.faults.clear()
})

after(async () => {
  await cluster.close()
  await broker.stop()
})

async function withSource(run: (source: TestSource) => Promise<void>): Promise<void> {
  const source = new TestSource({ bootstrap: broker.bootstrap, groupId: `g-${topic}`, topics: [topic] })
  try {
    await source.source.open()
    await run(source)
  } finally {
    broker.faults.clear()
    await source.source.close({ leave: true })
  }
}

test('dropped connections and passing errors of every request lose nothing and repeat nothing', async () => {
  broker.createTopic(topic, { partitions: 3 })
  const passing: readonly Fault[] = ['dropBefore', 'dropAfter']
  const errors = new Map([
    [FETCH, [6, 3, 74, 75, 56]],
    [METADATA, [5]],
    [LIST_OFFSETS, [6]],
    [FIND_COORDINATOR, [15]],
    [JOIN_GROUP, [16, 14]],
    [HEARTBEAT, [16, 27, 22]],
    [SYNC_GROUP, [27]]
  ])
  let seed = 5
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  let faults = 0
  await withSource(async source => {
    broker.faults.intercept(({ apiKey, clientId }) => {
      if (clientId !== CLIENT || random(12) > 0) return 'pass'
      const codes = errors.get(apiKey) ?? []
      const errorCode = codes[random(codes.length * 2)]
      faults++
      return errorCode === undefined ? (passing[random(2)] ?? 'pass') : { errorCode }
    })
    let produced = 0
    for (; faults < 25 || produced < 50; produced += 5) {
      for (let partition = 0; partition < 3; partition++) await cluster.produce(topic, partition, numbered(5))
      await source.pollOnce(20)
    }
    await pollUntil([source], () => source.records.length >= produced * 3, 'all records', 60_000)
    for (let partition = 0; partition < 3; partition++) {
      assert.deepEqual(
        source.offsets(`${topic}-${partition}`),
        Array.from({ length: produced }, (_, offset) => offset)
      )
    }
    assert.deepEqual(source.losses, [])
  })
})

test('a member that the group has forgotten joins anew and keeps what it reads', async () => {
  broker.createTopic(topic, { partitions: 2 })
  await withSource(async source => {
    await pollUntil([source], () => source.assigned.size === 2, 'assignment')
    broker.faults.onRequest(HEARTBEAT, 1, { errorCode: 25 })
    let joins = 0
    broker.faults.intercept(({ apiKey }) => {
      if (apiKey === JOIN_GROUP) joins++
      return 'pass'
    })
    await pollUntil([source], () => joins > 0 && source.source.isMember(), 'joining anew')
    await cluster.produce(topic, 0, numbered(3))
    await pollUntil([source], () => source.records.length === 3, 'records')
    assert.deepEqual(source.changes, [`+${topic}-0`, `+${topic}-1`])
  })
})

test('an end of the log that was replaced by an election is a divergence at the place of it', async () => {
  broker.createTopic(topic)
  await withSource(async source => {
    await cluster.produce(topic, 0, numbered(10))
    await pollUntil([source], () => source.records.length === 10, 'records')
    broker.truncate(topic, 0, 6)
    await cluster.produce(topic, 0, numbered(8, 'other'))
    await pollUntil([source], () => source.losses.length > 0, 'the loss')
    const [loss] = source.losses
    assert.deepEqual([loss?.kind, loss?.nextOffset, loss?.resumeOffset], ['Diverged', 10, 6])
    source.source.seek(new Map([[firstOf(topic), 6]]))
    await pollUntil([source], () => source.records.length === 18, 'what is there now')
  })
})

test('reports of a stale membership, and those that cannot be made, are no error', async () => {
  broker.createTopic(topic)
  await withSource(async source => {
    await pollUntil([source], () => source.assigned.size === 1, 'assignment')
    const offsets = new Map<PartitionId, { nextOffset: number; metadata: string }>([
      [firstOf(topic), { nextOffset: 1, metadata: '' }]
    ])
    for (const errorCode of [22, 25, 27, 82, 12]) {
      broker.faults.onRequest(OFFSET_COMMIT, 1, { errorCode })
      broker.faults.onRequest(OFFSET_COMMIT, 2, { errorCode })
      assert.equal(await source.source.report(offsets), false)
      broker.faults.clear()
    }
    broker.faults.onRequest(OFFSET_COMMIT, 1, 'dropAfter')
    await source.source.report(offsets)
    assert.equal((await source.source.reported([...source.assigned.values()])).get(firstOf(topic))?.nextOffset, 1)
  })
})

test('no broker at all is told as unreachable, and the source stays usable', async () => {
  const late = await startBroker()
  const { port, bootstrap } = late
  await late.stop()
  const source = new TestSource({ bootstrap, groupId: 'late', topics: ['late'] })
  await assert.rejects(
    source.source.open(),
    (error: unknown) => error instanceof RetryableError && error.code === 'SourceUnreachable'
  )
  const again = await startBroker({ port })
  again.createTopic('late')
  try {
    await source.source.open()
    await pollUntil([source], () => source.assigned.size === 1, 'assignment')
  } finally {
    await source.source.close({ leave: false })
    await again.stop()
  }
})

test('a group that another application uses is fatal', async () => {
  broker.createTopic(topic)
  broker.faults.intercept(({ apiKey }) => (apiKey === JOIN_GROUP ? { errorCode: 23 } : 'pass'))
  await withSource(async source => {
    await assert.rejects(
      pollUntil([source], () => false, 'the refusal'),
      (error: unknown) =>
        error instanceof FatalError && error.reason === 'GroupInUse' && error.message.includes('spec.source.groupId')
    )
  })
})

test('an outage is told once it has lasted, from its beginning', () => {
  let nowMs = 0
  const outage = new Outage({ now: () => nowMs, random: () => 0, sleep: async () => {} })
  const error = new RetryableError('SourceUnreachable', 'away')
  outage.begins(error)
  nowMs = 9999
  outage.begins(error)
  assert.equal(outage.trouble, undefined)
  nowMs = 10_000
  assert.equal(outage.trouble, error)
  outage.ends()
  assert.equal(outage.trouble, undefined)
})
