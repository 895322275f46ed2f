import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { partitionId } from '../../../consumer/partition.ts'
import { RetryableError } from '../../../lib/errors.ts'
import { PLAINTEXT, TestSource, pollUntil } from '../../consumer/source/harness.ts'
import { firstOf, numbered } from '../../consumer/source/laws/law.ts'
import { TestCluster } from '../../consumer/source/test-cluster.ts'
import { type KafkaServer, startKafka } from '../../servers/kafka.ts'
import { need } from '../../servers/need.ts'

/** What takes a broker of its own: one that compacts at once, ends sessions soon, and is killed. */
const PROPERTIES = {
  'log.cleaner.backoff.ms': 200,
  'connections.max.reauth.ms': 2000,
  'group.initial.rebalance.delay.ms': 0
}

let started: Promise<{ kafka: KafkaServer; cluster: TestCluster }> | undefined

const start = () =>
  (started ??= startKafka({ properties: PROPERTIES }).then(kafka => ({
    kafka,
    cluster: new TestCluster(kafka.bootstrap)
  })))

after(async () => {
  const { kafka, cluster } = (await started) ?? {}
  await cluster?.close()
  await kafka?.stop()
})

test(
  'what compaction has taken is a gap, no loss: the offset passes it, also at the end of the log',
  need('kafka'),
  async () => {
    const { cluster } = await start()
    const topic = 'compacted'
    const configs = { 'cleanup.policy': 'compact', 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.01' }
    await cluster.createTopic(topic, 1, configs)
    for (let round = 0; round < 4; round++) {
      await cluster.produce(topic, 0, numbered(10, `round-${round}-`), round % 2 === 0 ? 'none' : 'zstd')
      // A segment is closed, and may be compacted, by the first record that comes after its time.
      await new Promise(resolve => setTimeout(resolve, 150))
    }
    await cluster.produce(topic, 0, ['last'])
    const source = new TestSource({ bootstrap: cluster.bootstrap, groupId: topic, topics: [topic] })
    try {
      await source.source.open()
      const atEnd = () => source.batches.at(-1)?.nextOffset === 41
      await pollUntil([source], atEnd, 'the end')
      for (let attempt = 0; attempt < 100 && source.records.length === 41; attempt++) {
        await new Promise(resolve => setTimeout(resolve, 200))
        source.records.length = source.batches.length = 0
        source.source.seek(new Map([[firstOf(topic), 0]]))
        await pollUntil([source], atEnd, 'the end again')
      }
    } finally {
      await source.source.close({ leave: true })
    }
    assert.ok(source.records.length < 41, 'nothing was compacted')
    assert.deepEqual(source.losses, [])
    const offsets = source.offsets(firstOf(topic))
    assert.deepEqual(
      offsets,
      [...new Set(offsets)].sort((a, b) => a - b)
    )
    assert.equal(source.records.at(-1)?.value, 'last')
  }
)

test('a session that ends is authenticated anew while records flow', need('kafka'), async () => {
  const { kafka, cluster } = await start()
  const topic = 'reauthenticated'
  await cluster.createTopic(topic)
  const source = new TestSource({
    bootstrap: kafka.saslPlaintext,
    groupId: topic,
    topics: [topic],
    security: { ...PLAINTEXT, protocol: 'SASL_PLAINTEXT', mechanism: 'SCRAM-SHA-512', credentialsSecret: 'user' },
    secrets: { 'user/username': kafka.users.scram.username, 'user/password': kafka.users.scram.password }
  })
  try {
    await source.source.open()
    // Three sessions long.
    for (let round = 0; round < 12; round++) {
      await cluster.produce(topic, 0, numbered(5))
      await pollUntil([source], () => source.records.length === (round + 1) * 5, `round ${round}`)
      await new Promise(resolve => setTimeout(resolve, 500))
    }
    assert.deepEqual(source.changes, [`+${topic}-0`])
    assert.deepEqual(
      source.offsets(firstOf(topic)),
      Array.from({ length: 60 }, (_, offset) => offset)
    )
  } finally {
    await source.source.close({ leave: true })
  }
})

test(
  'a broker that is killed and comes back is read on from where it was, by the same member',
  need('kafka'),
  async () => {
    const { kafka, cluster } = await start()
    const topic = 'outlived'
    await cluster.createTopic(topic, 2)
    const source = new TestSource({
      bootstrap: kafka.bootstrap,
      groupId: topic,
      topics: [topic],
      limits: { sessionTimeoutMs: 30_000 }
    })
    try {
      await source.source.open()
      for (const partition of [0, 1]) await cluster.produce(topic, partition, numbered(10))
      await pollUntil([source], () => source.records.length === 20, 'records before')
      await kafka.kill()
      const polling = (async () => {
        while (source.records.length < 40) {
          await source.pollOnce(100).catch((error: unknown) => {
            if (!(error instanceof RetryableError)) throw error
          })
        }
      })()
      await kafka.restart()
      for (const partition of [0, 1]) await cluster.produce(topic, partition, numbered(10))
      await polling
      for (const partition of [0, 1]) {
        const offsets = source.offsets(partitionId({ topic, partition }))
        assert.deepEqual(
          offsets,
          Array.from({ length: 20 }, (_, offset) => offset)
        )
      }
      assert.deepEqual(
        source.changes.filter(change => change.startsWith('-')),
        []
      )
      await pollUntil([source], () => source.source.isMember(), 'membership')
    } finally {
      await source.source.close({ leave: true })
    }
  }
)
