import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Consumer } from '@platformatic/kafka'
import type { DeadLetterRecord } from '../../../consumer/decode/dead-letter.ts'
import { openDeadLetterProducer } from '../../../consumer/source/producer.ts'
import { systemClock } from '../../../lib/clock.ts'
import { RetryableError } from '../../../lib/errors.ts'
import { silentLog } from '../../../lib/log.ts'
import { PLAINTEXT } from './harness.ts'
import type { TestCluster } from './test-cluster.ts'

/** What the producer of dead letters promises, the same on every broker. */
export function testDeadLetters(name: string, options: { skip?: string }, clusterOf: () => Promise<TestCluster>): void {
  test(`${name}: dead letters keep their bytes and say what went wrong`, options, async () => {
    const cluster = await clusterOf()
    const topic = `t-${randomBytes(6).toString('hex')}`
    await cluster.createTopic(`${topic}.dlq`, 2)
    const producer = producerOn(cluster)
    try {
      const headers: DeadLetterRecord['headers'] = [
        ['x', Buffer.from([1])],
        ['x', Buffer.from([2])],
        ['none', null]
      ]
      const large = Buffer.alloc(600_000, 7)
      await producer.send([
        letter(topic, 0, 5, { value: Buffer.from([0xff, 0xfe]), headers }),
        letter(topic, 1, 9, { value: large }),
        letter(topic, 0, 6, { value: large, lastOffset: 8, reason: 'CorruptBatch', stage: 'Decompress' }),
        letter(topic, 0, 9, { value: null, key: null })
      ])
      const found = await consumeAll(cluster.bootstrap, `${topic}.dlq`, 4)
      const [first, batch, tombstone] = found.filter(({ partition }) => partition === 0)
      assert.deepEqual(first?.value, Buffer.from([0xff, 0xfe]))
      assert.deepEqual(first?.key, Buffer.from('key'))
      assert.equal(first?.timestamp, 1_700_000_000_000n)
      const all = first.headers.map(([header, value]) => [header?.toString(), value?.toString('latin1')])
      assert.deepEqual(all, [
        ['x', '\u0001'],
        ['x', '\u0002'],
        ['none', undefined],
        ['bronze-id', `${topic}-0-5`],
        ['bronze-topic', topic],
        ['bronze-partition', '0'],
        ['bronze-offset', '5'],
        ['bronze-reason', 'InvalidUtf8'],
        ['bronze-stage', 'Parse'],
        ['bronze-error', 'byte 0 is not UTF-8'],
        ['bronze-failed-at', '2023-11-14T22:13:21.000Z']
      ])
      assert.ok(
        batch?.headers.some(
          ([header, value]) => header?.toString() === 'bronze-last-offset' && value?.toString() === '8'
        )
      )
      assert.deepEqual([tombstone?.key ?? null, tombstone?.value ?? null], [null, null])
      assert.equal(found.filter(({ partition }) => partition === 1).length, 1)
    } finally {
      await producer.close()
    }
  })

  test(`${name}: a dead-letter topic that is missing is named, and waited for by the caller`, options, async () => {
    const cluster = await clusterOf()
    const topic = `t-${randomBytes(6).toString('hex')}`
    const producer = producerOn(cluster)
    try {
      await assert.rejects(
        producer.send([letter(topic, 0, 1, {})]),
        (error: unknown) =>
          error instanceof RetryableError &&
          error.code === 'DeadLetterTopicMissing' &&
          error.message.includes(`${topic}.dlq`)
      )
    } finally {
      await producer.close()
    }
  })
}

const producerOn = ({ bootstrap }: TestCluster) =>
  openDeadLetterProducer({
    pipeline: {
      source: {
        bootstrapServers: [bootstrap],
        groupId: 'unused',
        security: PLAINTEXT,
        onDataLoss: 'Fail',
        schemaRegistry: undefined
      },
      deadLetters: { policy: 'Topic', table: '', topic: '{topic}.dlq' }
    },
    clientId: 'test',
    readSecret: async () => undefined,
    clock: { ...systemClock, random: () => 0 },
    log: silentLog
  })

function letter(
  topic: string,
  partition: number,
  offset: number,
  overrides: Partial<DeadLetterRecord>
): DeadLetterRecord {
  return {
    topic,
    partition,
    offset,
    lastOffset: offset,
    timestampMs: 1_700_000_000_000,
    key: Buffer.from('key'),
    value: Buffer.from('value'),
    headers: [],
    ingestionId: `${topic}-${partition}-${offset}`,
    failedAtMs: 1_700_000_001_000,
    reason: 'InvalidUtf8',
    stage: 'Parse',
    error: 'byte 0 is not UTF-8',
    ...overrides
  }
}

interface Found {
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: bigint
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[]
}

/** Reads with the library's own consumer, so that two implementations must agree. */
async function consumeAll(bootstrap: string, topic: string, count: number): Promise<readonly Found[]> {
  const consumer = new Consumer({ clientId: 'reader', groupId: `reader-${topic}`, bootstrapBrokers: [bootstrap] })
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 100 })
  const found: Found[] = []
  for await (const message of stream) {
    const { partition, key, value, timestamp } = message
    found.push({ partition, key, value, timestamp, headers: [...message.headers] })
    if (found.length === count) break
  }
  await consumer.close(true)
  return found
}
