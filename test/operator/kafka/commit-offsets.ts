import { Kafka, logLevel } from 'kafkajs'
import { createCluster } from '../../../operator/kafka/internals.ts'

interface Coordinator {
  offsetCommit(request: object): Promise<unknown>
}

/** Commits offsets and their metadata strings to a group without members, as consumers do to theirs. */
export async function commitOffsets(
  bootstrap: string,
  groupId: string,
  topic: string,
  partitions: readonly { readonly partition: number; readonly offset: number; readonly metadata?: string }[]
): Promise<void> {
  const cluster = createCluster(new Kafka({ clientId: 'test', brokers: [bootstrap], logLevel: logLevel.NOTHING }))
  await cluster.connect()
  try {
    await cluster.brokerPool.refreshMetadata([])
    const coordinator = (await cluster.findGroupCoordinator({ groupId })) as unknown as Coordinator
    const offsets = partitions.map(({ partition, offset, metadata = '' }) => ({
      partition,
      offset: String(offset),
      metadata
    }))
    await coordinator.offsetCommit({
      groupId,
      groupGenerationId: -1,
      memberId: '',
      topics: [{ topic, partitions: offsets }]
    })
  } finally {
    await cluster.disconnect()
  }
}
