import type { TestContext } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { type BrokerOptions, type EmbeddedBroker, startBroker } from '../../../cli/demo/broker/broker.ts'
import { encodeBatch } from '../../../cli/demo/batch-encoder.ts'
import { DemoProducer } from '../../../cli/demo/producer.ts'

/** The embedded broker for one test. */
export async function brokerFor(context: TestContext, options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const broker = await startBroker(options)
  context.after(() => broker.stop())
  return broker
}

/** Sends these values in one batch, keyed by their index. */
export async function produce(
  bootstrap: string,
  topic: string,
  partition: number,
  values: readonly (string | Buffer)[],
  headers: Readonly<Record<string, string>> = {}
): Promise<void> {
  const records = values.map((value, index) => ({
    key: `key-${index}`,
    value: Buffer.from(value),
    timestampMs: Date.now(),
    headers
  }))
  await send(bootstrap, topic, partition, encodeBatch(records, 'none'))
}

/** Sends a record batch as it is. */
export async function send(bootstrap: string, topic: string, partition: number, batch: Buffer): Promise<void> {
  const [host = '', port = ''] = bootstrap.split(':')
  const producer = await DemoProducer.connect(host, Number(port))
  try {
    await producer.send(topic, partition, batch)
  } finally {
    producer.close()
  }
}

/** `count` small JSON objects. */
export const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => JSON.stringify({ number: from + index }))

export interface GroupView {
  readonly members: number
  /** `topic-partition` → next offset and the report that came with it. */
  readonly offsets: ReadonlyMap<string, { readonly offset: number; readonly metadata: string }>
}

/** What the coordinator knows of a group. */
export async function groupView(bootstrap: string, groupId: string): Promise<GroupView> {
  const admin = new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const { groups } = await admin.describeGroups([groupId])
    const offsets = new Map<string, { offset: number; metadata: string }>()
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId })) {
      for (const { partition, offset, metadata } of partitions) {
        offsets.set(`${topic}-${partition}`, { offset: Number(offset), metadata: metadata ?? '' })
      }
    }
    return { members: groups[0]?.members.length ?? 0, offsets }
  } finally {
    await admin.disconnect()
  }
}
