import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBroker } from '../../../cli/demo/broker/broker.ts'
import { encodeReport } from '../../../crds/report.ts'
import { systemClock } from '../../../lib/clock.ts'
import { RetryableError } from '../../../lib/errors.ts'
import { KafkaClusters } from '../../../operator/kafka/clusters.ts'
import { openLagSampler } from '../../../operator/kafka/lag-sampler.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { aSettled } from '../given.ts'
import { commitOffsets } from './commit-offsets.ts'

async function given(context: TestContext, options: Parameters<typeof startBroker>[0] = {}) {
  const broker = await startBroker(options)
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  const clusters = new KafkaClusters({ ...systemClock, now })
  context.after(() => broker.stop())
  const sampler = (
    spec: { source?: object; topics?: object; deadLetters?: object },
    secrets: Readonly<Record<string, string>> = {}
  ) => {
    const source = { bootstrapServers: [broker.bootstrap], groupId: 'g', ...spec.source }
    const pipeline = aSettled({ ...spec, source })
    const opened = openLagSampler(pipeline, async (name, key) => secrets[`${name}/${key}`], clusters, now)
    context.after(() => opened.close())
    return opened
  }
  const forward = (ms: number) => {
    aheadMs += ms
  }
  return { broker, clusters, sampler, forward }
}

test('lag, partitions and reports are read in one look', async context => {
  const { broker, sampler } = await given(context)
  broker.createTopic('orders', { partitions: 2 })
  await produce(context, broker.bootstrap, ['a', 'b', 'c'])
  const metadata = encodeReport({
    committedAtMs: 5,
    version: '9',
    recordTimestampMs: Date.now() - 5000,
    deadLetters: 1
  })
  await commitOffsets(broker.bootstrap, 'g', 'orders', [
    { partition: 0, offset: 1, metadata },
    { partition: 1, offset: 0, metadata }
  ])
  const { lag, trouble } = await sampler({}).sample()
  assert.equal(trouble, undefined)
  assert.equal(lag.partitions, 2)
  assert.equal(lag.lag, 2)
  assert.equal(lag.deadLetters, 2)
  assert.equal(lag.reportedPartitions, 2)
  assert.ok(lag.behindSeconds !== undefined && lag.behindSeconds >= 5)
})

test('a pattern finds topics that appear later, and none of the pipeline’s own dead letters', async context => {
  const { broker, sampler, forward } = await given(context)
  broker.createTopic('orders.eu', { partitions: 1 })
  const topics = [{ name: 'all', pattern: 'orders[.].+', table: 't', format: 'Raw' }]
  const opened = sampler({ topics, deadLetters: { policy: 'Topic' } })
  assert.equal((await opened.sample()).lag.partitions, 1)
  broker.createTopic('orders.us', { partitions: 2 })
  broker.createTopic('orders.us.dlq', { partitions: 1 })
  // The cluster is looked at anew after five seconds.
  forward(6000)
  assert.deepEqual((await opened.sample()).lag.entries[0]?.topics, ['orders.eu', 'orders.us'])
})

test('a group without offsets has an unknown lag, not a whole topic of it', async context => {
  const { broker, sampler } = await given(context)
  broker.createTopic('orders')
  await produce(context, broker.bootstrap, ['a'])
  const { lag } = await sampler({}).sample()
  assert.equal(lag.lag, undefined)
  assert.equal(lag.unknownPartitions, 1)
})

test('records that were deleted do not count', async context => {
  const { broker, sampler } = await given(context)
  broker.createTopic('orders')
  await produce(context, broker.bootstrap, ['a', 'b', 'c', 'd'])
  await commitOffsets(broker.bootstrap, 'g', 'orders', [{ partition: 0, offset: 1 }])
  broker.deleteRecords('orders', 0, 3)
  assert.equal((await sampler({}).sample()).lag.lag, 1)
})

test('pipelines of one cluster and identity share connections, which close with the last', async context => {
  const { broker, clusters, sampler } = await given(context)
  broker.createTopic('orders')
  const [a, b] = [sampler({}), sampler({ source: { groupId: 'other' } })]
  await Promise.all([a.sample(), b.sample()])
  assert.equal(clusters.size, 1)
  a.close()
  assert.equal(clusters.size, 1)
  b.close()
  assert.equal(clusters.size, 0)
})

async function produce(context: TestContext, bootstrap: string, values: readonly string[]): Promise<void> {
  const cluster = new TestCluster(bootstrap)
  context.after(() => cluster.close())
  await cluster.produce('orders', 0, values)
}

const plain = {
  security: { protocol: 'SASL_PLAINTEXT', mechanism: 'PLAIN', credentialsSecretRef: { name: 'user' } }
}

test('credentials come from the Secret, and other values are another identity', async context => {
  const { broker, clusters, sampler } = await given(context, { users: { me: 'right', you: 'right' } })
  broker.createTopic('orders')
  const opened = sampler({ source: plain }, { 'user/username': 'me', 'user/password': 'right' })
  const other = sampler({ source: plain }, { 'user/username': 'you', 'user/password': 'right' })
  assert.equal((await opened.sample()).lag.partitions, 1)
  await other.sample()
  assert.equal(clusters.size, 2)
})

test('refused credentials are told as such, without the password', async context => {
  const { sampler } = await given(context, { users: { me: 'right' } })
  const opened = sampler({ source: plain }, { 'user/username': 'me', 'user/password': 'wrong-secret' })
  const error = await failureOf(opened.sample())
  assert.equal(error.code, 'SourceAuthenticationFailed')
  assert.doesNotMatch(error.message, /wrong-secret/)
})

test('a key that the Secret lacks is told by name', async context => {
  const { sampler } = await given(context)
  const error = await failureOf(sampler({ source: plain }, { 'user/username': 'me' }).sample())
  assert.equal(error.code, 'SecretMissing')
  assert.match(error.message, /Secret user has no key password/)
})

test('a broker that is away is trouble, and its return ends it', async context => {
  const { broker, sampler, forward } = await given(context)
  broker.createTopic('orders')
  const opened = sampler({})
  await opened.sample()
  const { port } = broker
  await broker.stop()
  const { lag, trouble } = await opened.sample()
  assert.equal(trouble?.code, 'SourceUnreachable')
  assert.equal(lag.partitions, 1)
  assert.equal(lag.lag, undefined)
  forward(6000)
  assert.equal((await failureOf(opened.sample())).code, 'SourceUnreachable')
  const again = await startBroker({ port })
  context.after(() => again.stop())
  again.createTopic('orders', { partitions: 4 })
  forward(6000)
  assert.equal((await opened.sample()).lag.partitions, 4)
})

async function failureOf(promise: Promise<unknown>): Promise<RetryableError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error
  )
  assert.ok(error instanceof RetryableError, String(error))
  return error
}
