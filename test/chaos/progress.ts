import { setTimeout as wait } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import { TOPICS, type Workload } from './workload.ts'

/** No partition has moved for so long: something hangs. Longer than a session time-out and a rebalance together. */
const STALL_MS = 150_000

/** Creates the topics of the workload. */
export async function createTopics(bootstrap: string): Promise<void> {
  const admin = adminOf(bootstrap)
  for (const { topic, partitions } of TOPICS) await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  await admin.close()
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
    await admin.close()
  }
}

const adminOf = (bootstrap: string): Admin => new Admin({ clientId: 'chaos', bootstrapBrokers: [bootstrap] })

/** The sum of the group's offsets over all partitions: all of them begin at 0. */
async function reportedOffsets(admin: Admin, groupId: string): Promise<number> {
  const groups = await admin.listConsumerGroupOffsets({ groups: [groupId] }).catch(() => [])
  return groups
    .flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions))
    .reduce((sum, { committedOffset }) => sum + Math.max(0, Number(committedOffset)), 0)
}
