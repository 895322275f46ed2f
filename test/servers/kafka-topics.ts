import { Kafka, logLevel } from 'kafkajs'

/** Creates topics of so many partitions each. */
export async function createTopics(bootstrap: string, topics: readonly string[], partitions: number): Promise<void> {
  const admin = new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.createTopics({
      topics: topics.map(topic => ({ topic, numPartitions: partitions, replicationFactor: 1 }))
    })
  } finally {
    await admin.disconnect()
  }
}
