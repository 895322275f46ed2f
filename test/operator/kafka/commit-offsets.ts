import { setTimeout as wait } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { createCluster } from '../../../operator/kafka/internals.ts'

const ATTEMPTS = 100

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
    const offsets = partitions.map(({ partition, offset, metadata = '' }) => ({
      partition,
      offset: String(offset),
      metadata
    }))
    const request = { groupId, groupGenerationId: -1, memberId: '', topics: [{ topic, partitions: offsets }] }
    for (let attempt = 1; ; attempt++) {
      const coordinator = (await cluster.findGroupCoordinator({ groupId })) as unknown as Coordinator
      const error: unknown = await coordinator.offsetCommit(request).then(
        () => undefined,
        (error: unknown) => error
      )
      if (error === undefined) return
      // A broker that has just started is still choosing and loading its coordinators.
      if (attempt === ATTEMPTS || (error as { retriable?: boolean }).retriable !== true) throw error
      await wait(100)
    }
  } finally {
    await cluster.disconnect()
  }
}
