import type { StartFrom } from '../../crds/settled.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { partitionId } from '../partition.ts'
import type { Cluster } from './cluster.ts'
import type { GroupOffsets } from './group-offsets.ts'
import { EARLIEST, LATEST, type TopicOffsets } from './topic-offsets.ts'

export interface StartPorts {
  readonly cluster: Cluster
  readonly offsets: TopicOffsets
  readonly groups: GroupOffsets
  readonly log: Log
}

/**
 * Where `startFrom` begins, for every partition of `topic`. `Latest` is the last stable offset: what is in an open
 * transaction is read when it commits. `Timestamp` is the first record at or after it, else the end. Partitions that
 * `Group` or `Offsets` say nothing of begin at the log start, and the log says so. An offset outside the log is taken as
 * it is: reading it shows the loss. RetryableError `TopicMissing` when there is no such topic.
 */
export async function resolveStart(
  ports: StartPorts,
  topic: string,
  startFrom: StartFrom
): Promise<ReadonlyMap<number, number>> {
  const { cluster, offsets } = ports
  const described = (await cluster.describe([topic])).get(topic)
  if (described === undefined) throw new RetryableError('TopicMissing', `topic ${topic} does not exist`)
  const partitions = described.partitions.map((_, partition) => partition)
  switch (startFrom.position) {
    case 'Earliest':
      return offsets.list(topic, partitions, EARLIEST)
    case 'Latest':
      return offsets.list(topic, partitions, LATEST)
    case 'Timestamp': {
      const found = await offsets.list(topic, partitions, startFrom.timestampMs)
      const beyond = partitions.filter(partition => !found.has(partition))
      return new Map([...found, ...(await offsets.list(topic, beyond, LATEST))])
    }
    case 'Offsets':
      return complete(ports, topic, partitions, startFrom.offsets, 'startFrom.offsets')
    case 'Group': {
      const held = await heldBy(ports, startFrom.groupId, topic, partitions)
      return complete(ports, topic, partitions, held, `group ${startFrom.groupId}`)
    }
  }
}

/** Adds the log start of the partitions that `given` lacks. */
async function complete(
  { offsets, log }: StartPorts,
  topic: string,
  partitions: readonly number[],
  given: ReadonlyMap<number, number>,
  origin: string
): Promise<ReadonlyMap<number, number>> {
  const missing = partitions.filter(partition => !given.has(partition))
  if (missing.length > 0) {
    const fields = { topic, partitions: missing.join(', ') }
    log.warn(`${origin} has no offset for some partitions; they begin at their log start`, fields)
  }
  const known = [...given].filter(([partition]) => partitions.includes(partition))
  return new Map([...known, ...(await offsets.list(topic, missing, EARLIEST))])
}

async function heldBy(
  { groups }: StartPorts,
  groupId: string,
  topic: string,
  partitions: readonly number[]
): Promise<ReadonlyMap<number, number>> {
  const held = await groups.fetch(
    groupId,
    partitions.map(partition => ({ topic, topicId: '', partition }))
  )
  const offsets = new Map<number, number>()
  for (const partition of partitions) {
    const offset = held.get(partitionId({ topic, partition }))
    if (offset !== undefined) offsets.set(partition, offset.nextOffset)
  }
  return offsets
}
