import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, test, type TestContext } from 'node:test'
import { Consumer } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { systemClock } from '../../../lib/clock.ts'
import { KafkaClusters } from '../../../operator/kafka/clusters.ts'
import { openLagSampler } from '../../../operator/kafka/lag-sampler.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { aSettled } from '../../operator/given.ts'
import { commitOffsets } from '../../operator/kafka/commit-offsets.ts'
import { sharedKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

let cluster: TestCluster | undefined
after(() => cluster?.close())

async function given(context: TestContext, spec: object = {}, secrets: Readonly<Record<string, string>> = {}) {
  const kafka = await sharedKafka()
  cluster ??= new TestCluster(kafka.bootstrap)
  const topic = `operator-${randomBytes(6).toString('hex')}`
  await cluster.createTopic(topic)
  const pipeline = aSettled({
    source: { bootstrapServers: [kafka.bootstrap], groupId: topic, ...spec },
    topics: [{ name: 'orders', topic, table: 't', format: 'Raw' }]
  })
  const clusters = new KafkaClusters(systemClock)
  const sampler = openLagSampler(pipeline, async (name, key) => secrets[`${name}/${key}`], clusters, Date.now)
  context.after(() => sampler.close())
  const sample = () => sampler.sample()
  const lag = async () => (await sample()).lag.lag
  const commit = (offset: number) => commitOffsets(kafka.bootstrap, topic, topic, [{ partition: 0, offset }])
  const group = async () => {
    const lease = await clusters.lease(pipeline.source, async () => undefined)
    context.after(() => lease.release())
    return await lease.cluster.group(topic)
  }
  return { kafka, cluster, topic, sample, lag, commit, group }
}

test('records of a transaction that is open are not there to be read yet', need('kafka'), async context => {
  const { kafka, cluster, topic, lag, commit } = await given(context)
  await cluster.produce(topic, 0, ['a', 'b'])
  await commit(2)
  const client = new Kafka({ clientId: 'test', brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })
  const producer = client.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  context.after(() => producer.disconnect())
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ value: 'c' }, { value: 'd' }] })
  assert.equal(await lag(), 0)
  await cluster.produce(topic, 0, ['e'])
  assert.equal(await lag(), 0, 'what comes after an open transaction waits with it')
  await transaction.commit()
  // c, d, e and the transaction's marker, until the consumer moves its offset over that.
  await eventually(lag, 4)
  await commit(6)
  assert.equal(await lag(), 0)
})

test('an aborted transaction leaves a lag until the consumer has moved over it', need('kafka'), async context => {
  const { cluster, topic, lag, commit } = await given(context)
  await commit(0)
  await cluster.transact(topic, topic, ['a', 'b'], 'abort')
  await eventually(lag, 3)
  await commit(3)
  assert.equal(await lag(), 0)
})

test('what retention or a person deleted is no lag', need('kafka'), async context => {
  const { cluster, topic, lag, commit } = await given(context)
  await cluster.produce(topic, 0, ['a', 'b', 'c', 'd'])
  await commit(1)
  assert.equal(await lag(), 3)
  await cluster.deleteRecords(topic, 0, 3)
  await eventually(lag, 1)
})

test('a group without offsets has an unknown lag', need('kafka'), async context => {
  const { cluster, topic, lag } = await given(context)
  await cluster.produce(topic, 0, ['a'])
  assert.equal(await lag(), undefined)
})

test('offsets that have expired, or were deleted, leave the lag unknown', need('kafka'), async context => {
  const { cluster, topic, lag, commit, group } = await given(context)
  await cluster.produce(topic, 0, ['a', 'b'])
  await commit(2)
  assert.equal(await lag(), 0)
  await (await group()).delete()
  assert.equal(await lag(), undefined)
})

test('a topic that was made anew has an unknown lag until somebody commits to it', need('kafka'), async context => {
  const { cluster, topic, lag, commit } = await given(context)
  await cluster.produce(topic, 0, ['a', 'b', 'c'])
  await commit(3)
  assert.equal(await lag(), 0)
  await cluster.deleteTopic(topic)
  await eventually(lag, undefined)
  await cluster.createTopic(topic)
  await cluster.produce(topic, 0, ['a'])
  await systemClock.sleep(5100)
  assert.equal(await lag(), undefined)
  await commit(0)
  assert.equal(await lag(), 1)
})

test('how late a group without members is, is found by asking the log for times', need('kafka'), async context => {
  const { cluster, topic, sample, commit } = await given(context)
  const agoMs = 5 * 3_600_000
  await cluster.produce(topic, 0, ['read'], 'none', Date.now() - 2 * agoMs)
  await cluster.produce(topic, 0, ['missing'], 'none', Date.now() - agoMs)
  await cluster.produce(topic, 0, ['new'], 'none', Date.now() - 1000)
  await commit(1)
  const behind: (number | undefined)[] = []
  for (let look = 0; look < 12; look++) behind.push((await sample()).lag.behindSeconds)
  assert.equal(behind[0], undefined, 'older than a minute is all that one question tells')
  const last = behind.at(-1) ?? 0
  // Never less than it is, and not a quarter more.
  assert.ok(last >= agoMs / 1000 && last <= (agoMs / 1000) * 1.26, behind.join(' '))
  await commit(2)
  const next = (await sample()).lag.behindSeconds ?? 0
  assert.ok(next > 0 && next <= last + 60)
  await commit(3)
  assert.equal((await sample()).lag.behindSeconds, 0)
})

for (const protocol of ['classic', 'consumer'] as const) {
  test(`a program in our group is seen by its name, with protocol ${protocol}`, need('kafka'), async context => {
    const { kafka, topic, sample } = await given(context)
    const consumer = new Consumer({
      clientId: 'somebody-else',
      groupId: topic,
      bootstrapBrokers: [kafka.bootstrap],
      ...(protocol === 'consumer' ? { groupProtocol: protocol } : {})
    })
    context.after(() => consumer.close(true))
    const stream = await consumer.consume({ topics: [topic], sessionTimeout: 10_000, heartbeatInterval: 500 })
    stream.on('error', () => {})
    stream.resume()
    await eventually(async () => (await sample()).group?.foreign?.[0]?.clientId, 'somebody-else')
    await eventually(async () => (await sample()).group?.state, 'Stable')
    const { group } = await sample()
    assert.deepEqual([group?.members, group?.foreignMembers, group?.foreign?.[0]?.host], [1, 1, '127.0.0.1'])
  })
}

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
  test(`the brokers are asked over TLS with ${mechanism}`, need('kafka'), async context => {
    const kafka = await sharedKafka()
    const user = mechanism === 'PLAIN' ? kafka.users.plain : kafka.users.scram
    const security = {
      protocol: 'SASL_SSL',
      mechanism,
      credentialsSecretRef: { name: 'user' },
      caSecretRef: { name: 'ca' }
    }
    const secrets = {
      'user/username': user.username,
      'user/password': user.password,
      'ca/ca.crt': await readFile(kafka.certificates.ca, 'utf8')
    }
    const { lag } = await given(context, { bootstrapServers: [kafka.saslSsl], security }, secrets)
    await eventually(lag, 0)
  })
}

test('the brokers are asked with a client certificate', need('kafka'), async context => {
  const kafka = await sharedKafka()
  const security = { protocol: 'SSL', caSecretRef: { name: 'ca' }, clientCertificateSecretRef: { name: 'me' } }
  const secrets = {
    'ca/ca.crt': await readFile(kafka.certificates.ca, 'utf8'),
    'me/tls.crt': await readFile(kafka.certificates.clientCert, 'utf8'),
    'me/tls.key': await readFile(kafka.certificates.clientKey, 'utf8')
  }
  const { lag } = await given(context, { bootstrapServers: [kafka.mutualTls], security }, secrets)
  await eventually(lag, 0)
})

test('the brokers are asked with a bearer token', need('kafka'), async context => {
  const kafka = await sharedKafka()
  const security = {
    protocol: 'SASL_PLAINTEXT',
    mechanism: 'OAUTHBEARER',
    credentialsSecretRef: { name: 'user' }
  }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const nowSeconds = Math.floor(Date.now() / 1000)
  const token = `${part({ alg: 'none' })}.${part({ sub: 'me', iat: nowSeconds, exp: nowSeconds + 600 })}.`
  const { lag } = await given(context, { bootstrapServers: [kafka.saslPlaintext], security }, { 'user/token': token })
  assert.equal(await lag(), 0)
})

/** Markers and deletions reach the log a moment after they were asked for. */
async function eventually(read: () => Promise<unknown>, expected: unknown): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    if ((await read()) === expected) return
    await systemClock.sleep(100)
  }
  assert.equal(await read(), expected)
}
