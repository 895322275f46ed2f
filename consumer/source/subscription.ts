import { createHash } from 'node:crypto'
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription
} from '@platformatic/kafka'
import type { TopicPartition } from './assigner.ts'

/** The name under which our members agree on how partitions are dealt; a group of other members is refused. */
export const PROTOCOL_NAME = 'bronze-sticky'
/** Version 3 of Kafka's ConsumerProtocolSubscription carries what a member holds, and since when. */
const SUBSCRIPTION_VERSION = 3
const ASSIGNMENT_VERSION = 0

/** What a member tells the group's leader when it joins. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

export function encodeSubscription({ topics, owned, generation }: Subscription): Buffer {
  return encodeConsumerProtocolSubscription({
    version: SUBSCRIPTION_VERSION,
    topics: [...topics],
    ownedPartitions: group(owned),
    generationId: generation,
    rackId: null
  })
}

export function decodeSubscription(bytes: Buffer): Subscription {
  const { topics, ownedPartitions, generationId } = decodeConsumerProtocolSubscription(bytes)
  return { topics, owned: flatten(ownedPartitions), generation: generationId }
}

/** What the leader gives a member, and the fingerprint of the partitions it dealt among all. */
export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  readonly fingerprint: string
}

export function encodeAssignment({ partitions, fingerprint }: Assignment): Buffer {
  return encodeConsumerProtocolAssignment({
    version: ASSIGNMENT_VERSION,
    assignedPartitions: group(partitions),
    userData: Buffer.from(fingerprint)
  })
}

export function decodeAssignment(bytes: Buffer): Assignment {
  const { assignedPartitions, userData } = decodeConsumerProtocolAssignment(bytes)
  return { partitions: flatten(assignedPartitions), fingerprint: userData.toString() }
}

/** Changes when a topic or a partition appears or goes, by which a leader sees that it must deal again. */
export function fingerprintOf(partitionCounts: ReadonlyMap<string, number>): string {
  const lines = [...partitionCounts].map(([topic, count]) => `${topic}:${count}`).sort()
  return createHash('sha256').update(lines.join('\n')).digest('base64url').slice(0, 22)
}

function group(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, held]) => ({
    topic,
    partitions: held.map(({ partition }) => partition)
  }))
}

function flatten(topics: readonly { topic: string; partitions: number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
}
