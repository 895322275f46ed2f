import { setTimeout as wait } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { TOPICS, type Workload } from './workload.ts'

/** No partition has moved for so long: something hangs. Longer than a session time-out and a rebalance together. */
const STALL_MS = 150_000

/** Creates the topics of the workload. */
export async function createTopics(bootstrap: string): Promise<void> {
  const admin = adminOf(bootstrap)
  await admin.connect()
  await admin.createTopics({ topics: TOPICS.map(({ topic, partitions }) => ({ topic, numPartitions: partitions })) })
  await admin.disconnect()
}

/**
 * Waits until the group has reported every partition's end; `broken` tells a reason to give up. Resolves with the reason
 * when it gave up.
 */
export async function untilCaughtUp(
  bootstrap: string,
  groupId: string,
  workload: Workload,
  broken: () => string | undefined
): Promise<string | undefined> {
  const admin = adminOf(bootstrap)
  await admin.connect()
  try {
    let best = -1
    let bestAt = performance.now()
    for (;;) {
      const reported = await reportedOffsets(admin, groupId)
      if (reported >= workload.records) return undefined
      if (broken() !== undefined) return broken()
      if (reported > best) [best, bestAt] = [reported, performance.now()]
      if (performance.now() - bestAt > STALL_MS) return `no progress since ${best} of ${workload.records} records`
      await wait(1000)
    }
  } finally {
    await admin.disconnect()
  }
}

type Admin = ReturnType<Kafka['admin']>

const adminOf = (bootstrap: string): Admin =>
  new Kafka({ clientId: 'chaos', brokers: [bootstrap], logLevel: logLevel.NOTHING }).admin()

/** The sum of the group's offsets over all partitions: all of them begin at 0. */
async function reportedOffsets(admin: Admin, groupId: string): Promise<number> {
  const topics = TOPICS.map(({ topic }) => topic)
  const offsets = await admin.fetchOffsets({ groupId, topics }).catch(() => [])
  return offsets
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
}
