import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import type { Fault, FaultRequest } from '../../../cli/demo/broker/faults.ts'
import { systemClock } from '../../../lib/clock.ts'
import { KafkaClusters } from '../../../operator/kafka/clusters.ts'
import { openLagSampler, type LagSampler } from '../../../operator/kafka/lag-sampler.ts'
import { aSettled } from '../given.ts'
import { commitOffsets } from './commit-offsets.ts'

const [LIST_OFFSETS, METADATA, OFFSET_FETCH, FIND_COORDINATOR, DESCRIBE_GROUPS] = [2, 3, 9, 10, 15] as const
const NAMES = new Map<number, string>([
  [LIST_OFFSETS, 'ListOffsets'],
  [METADATA, 'Metadata'],
  [OFFSET_FETCH, 'OffsetFetch'],
  [FIND_COORDINATOR, 'FindCoordinator'],
  [DESCRIBE_GROUPS, 'DescribeGroups']
])

/** Pipelines of one cluster, each with a topic of its own, of which it has read nothing. */
async function given(context: TestContext, pipelines: number, partitions = 1) {
  const broker = await startBroker({})
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  const clusters = new KafkaClusters({ ...systemClock, now })
  const samplers = Array.from({ length: pipelines }, (_, index): LagSampler => {
    const [topic, groupId] = [`t${index}`, `g${index}`]
    broker.createTopic(topic, { partitions })
    const pipeline = aSettled({
      source: { bootstrapServers: [broker.bootstrap], groupId },
      topics: [{ name: 'orders', topic, table: 'bronze.orders', format: 'Json' }]
    })
    return openLagSampler(pipeline, async () => undefined, clusters, now)
  })
  context.after(async () => {
    for (const sampler of samplers) sampler.close()
    await broker.stop()
  })
  const requests = new Map<string, number>()
  const decide = (fault: (request: FaultRequest) => Fault) => {
    requests.clear()
    broker.faults.intercept(request => {
      const name = NAMES.get(request.apiKey)
      if (name !== undefined) requests.set(name, (requests.get(name) ?? 0) + 1)
      return fault(request)
    })
  }
  decide(() => 'pass')
  const sample = () => Promise.all(samplers.map(sampler => sampler.sample()))
  const forward = (ms: number) => {
    aheadMs += ms
  }
  const counted = () => Object.fromEntries([...requests].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return { broker, clusters, samplers, sample, forward, counted, decide }
}

test('500 pipelines are sampled by a dozen requests', async context => {
  const { sample, forward, counted, decide } = await given(context, 500, 2)
  const first = await sample()
  assert.ok(first.every(({ lag, trouble }) => trouble === undefined && lag.partitions === 2 && lag.lag === 0))
  assert.deepEqual(counted(), {
    DescribeGroups: 5,
    FindCoordinator: 2,
    ListOffsets: 2,
    Metadata: 1,
    OffsetFetch: 3
  })
  decide(() => 'pass')
  forward(15_000)
  await sample()
  assert.deepEqual(counted(), { DescribeGroups: 5, ListOffsets: 2, Metadata: 1, OffsetFetch: 3 })
})

test('groups that have moved, or whose coordinator still reads its log, are looked for again', async context => {
  const { sample, counted, decide } = await given(context, 3)
  const codes = new Map<number, number>([
    [OFFSET_FETCH, 16],
    [DESCRIBE_GROUPS, 14]
  ])
  decide(({ apiKey }) => {
    const errorCode = codes.get(apiKey)
    codes.delete(apiKey)
    return errorCode === undefined ? 'pass' : { errorCode }
  })
  for (const { lag, group, trouble } of await sample()) {
    assert.deepEqual([lag.lag, group?.state, trouble], [0, 'Dead', undefined])
  }
  const { FindCoordinator, ...requests } = counted()
  assert.deepEqual(requests, { DescribeGroups: 2, ListOffsets: 2, Metadata: 1, OffsetFetch: 2 })
  assert.ok((FindCoordinator ?? 0) >= 3)
})

test('a coordinator that never becomes ready is trouble, and nothing is known of the lag', async context => {
  const { sample, decide } = await given(context, 2)
  decide(({ apiKey }) => (apiKey === OFFSET_FETCH ? { errorCode: 14 } : 'pass'))
  for (const { lag, trouble } of await sample()) {
    assert.deepEqual([lag.lag, lag.unknownPartitions, lag.partitions], [undefined, 1, 1])
    assert.match(trouble?.message ?? '', /COORDINATOR_LOAD_IN_PROGRESS/)
  }
})

for (const [name, apiKey] of [
  ['topics', METADATA],
  ['committed offsets', OFFSET_FETCH],
  ['ends of logs', LIST_OFFSETS]
] as const) {
  test(`a topic whose ${name} may not be read is named, and no other pipeline feels it`, async context => {
    const { sample, decide } = await given(context, 3)
    decide(request => (request.apiKey === apiKey ? { errorCode: 29, topic: 't1' } : 'pass'))
    const [one, two, three] = await sample()
    assert.equal(two?.trouble?.code, 'SourceAuthorizationFailed')
    assert.match(two?.trouble?.message ?? '', /TOPIC_AUTHORIZATION_FAILED: allow Describe on t1$/)
    assert.equal(two?.lag.lag, undefined)
    for (const other of [one, three]) assert.deepEqual([other?.lag.lag, other?.trouble], [0, undefined])
  })
}

test('a group that may not be read is trouble', async context => {
  const { sample, decide } = await given(context, 1)
  decide(({ apiKey }) => (apiKey === OFFSET_FETCH || apiKey === DESCRIBE_GROUPS ? { errorCode: 30 } : 'pass'))
  const [only] = await sample()
  assert.equal(only?.trouble?.code, 'SourceAuthorizationFailed')
  assert.deepEqual([only?.lag.lag, only?.group], [undefined, undefined])
})

test('a partition whose leader is elsewhere is unknown, without trouble, until it is found', async context => {
  const { sample, decide, forward } = await given(context, 2)
  decide(request => (request.apiKey === LIST_OFFSETS ? { errorCode: 6, topic: 't1' } : 'pass'))
  const [one, two] = await sample()
  assert.deepEqual([one?.lag.lag, two?.lag.lag, two?.trouble], [0, undefined, undefined])
  decide(() => 'pass')
  forward(1500)
  assert.equal((await sample())[1]?.lag.lag, 0)
})

test('a topic that is deleted while it is looked at is unknown, and missing at the next look', async context => {
  const { broker, sample, decide, forward } = await given(context, 2)
  let isDeleted = false
  decide(({ apiKey }) => {
    if (apiKey === LIST_OFFSETS && !isDeleted) {
      broker.deleteTopic('t1')
      isDeleted = true
    }
    return 'pass'
  })
  const [one, two] = await sample()
  assert.deepEqual([one?.lag.lag, two?.lag.lag], [0, undefined])
  forward(15_000)
  const [, gone] = await sample()
  assert.deepEqual([gone?.lag.lag, gone?.lag.entries[0]?.missing], [undefined, 't1'])
})

test('a connection that the broker closed is opened again within the look', async context => {
  const { broker, sample } = await given(context, 2)
  broker.faults.onRequest(OFFSET_FETCH, 1, 'dropBefore')
  broker.faults.onRequest(LIST_OFFSETS, 1, 'dropAfter')
  for (const { lag, trouble } of await sample()) assert.deepEqual([lag.lag, trouble], [0, undefined])
})

test('partitions that were added are seen by the next look', async context => {
  const { broker, sample, forward } = await given(context, 1)
  assert.equal((await sample())[0]?.lag.partitions, 1)
  broker.addPartitions('t0', 3)
  forward(15_000)
  assert.equal((await sample())[0]?.lag.partitions, 3)
})

test('topics that nobody reads are not looked up, unless somebody has a pattern', async context => {
  const { broker, clusters, sample, decide, forward } = await given(context, 2)
  for (let index = 0; index < 50; index++) broker.createTopic(`other-${index}`)
  const asked: unknown[] = []
  decide(({ apiKey, body }) => {
    if (apiKey === METADATA)
      asked.push((body as { topics: readonly { name: string }[] | null }).topics?.length ?? 'all')
    return 'pass'
  })
  await sample()
  assert.deepEqual(asked, [2])
  const topics = [{ name: 'all', pattern: 'other-.+', table: 't', format: 'Raw' }]
  const source = { bootstrapServers: [broker.bootstrap], groupId: 'p' }
  const pattern = openLagSampler(aSettled({ source, topics }), async () => undefined, clusters, Date.now)
  assert.equal((await pattern.sample()).lag.partitions, 50)
  forward(15_000)
  await sample()
  assert.deepEqual(asked, [2, 'all', 'all'])
  pattern.close()
  forward(15_000)
  await sample()
  assert.deepEqual(asked.at(-1), 2)
})

test('offsets of a group that are committed are found in the same request as those of groups that have none', async context => {
  const { broker, sample } = await given(context, 2)
  await commitOffsets(broker.bootstrap, 'g1', 't1', [{ partition: 0, offset: 0, metadata: 'mine' }])
  const [one, two] = await sample()
  assert.deepEqual([one?.offsets[0]?.committed, two?.offsets[0]?.committed], [undefined, 0])
  assert.deepEqual([one?.offsets[0]?.metadata, two?.offsets[0]?.metadata], ['', 'mine'])
})
