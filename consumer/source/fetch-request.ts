import { type Reader, createAPI, fetchV11, fetchV12, fetchV13 } from '@platformatic/kafka'
import type { AbortedTransaction } from './aborted-transactions.ts'
import type { Link } from './connections.ts'
import { checkCode } from './trouble.ts'

export interface PartitionToFetch {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  /** -1: unknown. The leader refuses when its epoch is another. */
  readonly leaderEpoch: number
  /** Epoch of the last batch that was read, by which the leader sees a diverged log; -1: unknown. */
  readonly lastFetchedEpoch: number
}

export interface FetchedPartition {
  /** A name below version 13, a topic id from there on. */
  readonly topicKey: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStart: number
  /** Where the leader's log parts from what was read; -1: it does not. */
  readonly divergingEndOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Whole record batches, the last one perhaps cut off. */
  readonly records: Buffer | undefined
}

export interface FetchLimits {
  readonly maxWaitMs: number
  /** Of the whole answer; its first batch comes whole even if larger. */
  readonly maxBytes: number
  readonly partitionMaxBytes: number
}

const READ_COMMITTED = 1
/** Full requests: sessions save little at the few dozen partitions of one consumer. */
const NO_SESSION = [0, -1] as const

type CreateRequest = typeof fetchV13.createRequest
const api = (version: number, create: CreateRequest, isFlexible: boolean) =>
  createAPI<Parameters<CreateRequest>, readonly FetchedPartition[]>(
    1,
    version,
    create,
    (_id, _key, _version, reader) => parse(reader, version),
    isFlexible,
    isFlexible
  )

/** Version 13 names topics by id (Kafka 3.1); 12 can see diverging epochs (2.7); 11 is the oldest we speak (2.3). */
const FETCH = [
  api(13, fetchV13.createRequest, true),
  api(12, fetchV12.createRequest, true),
  api(11, fetchV11.createRequest, false)
] as const

/** Whether the broker names topics by id, so that a re-created one is seen at once. */
export const fetchesById = (link: Link): boolean => link.choose(FETCH).version >= 13

/** One fetch of whole record sets under `read_committed`. Error codes are in the answer. */
export function fetchRecords(
  link: Link,
  partitions: readonly PartitionToFetch[],
  { maxWaitMs, maxBytes, partitionMaxBytes }: FetchLimits
): Promise<readonly FetchedPartition[]> {
  const byId = fetchesById(link)
  // The order of topics and partitions is kept: the broker fills its answer in this order.
  const topics = new Map<string, Parameters<CreateRequest>[6][number]>()
  for (const { topic, topicId, partition, fetchOffset, leaderEpoch, lastFetchedEpoch } of partitions) {
    const key = byId ? topicId : topic
    const entry = topics.get(key) ?? { topicId: key, partitions: [] }
    entry.partitions.push({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset: BigInt(fetchOffset),
      lastFetchedEpoch,
      partitionMaxBytes
    })
    topics.set(key, entry)
  }
  return link.call(FETCH, maxWaitMs, 1, maxBytes, READ_COMMITTED, ...NO_SESSION, [...topics.values()], [], '')
}

function parse(reader: Reader, version: number): readonly FetchedPartition[] {
  const isFlexible = version >= 12
  const fetched: FetchedPartition[] = []
  reader.readInt32() // throttle time
  checkCode(reader.readInt16())
  reader.readInt32() // session id
  reader.readArray(
    topic => {
      const topicKey = version >= 13 ? topic.readUUID() : topic.readString(isFlexible)
      topic.readArray(one => fetched.push(parsePartition(one, topicKey, isFlexible)), isFlexible, false)
    },
    isFlexible,
    isFlexible
  )
  if (isFlexible) reader.readTaggedFields()
  return fetched
}

function parsePartition(reader: Reader, topicKey: string, isFlexible: boolean): FetchedPartition {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const highWatermark = Number(reader.readInt64())
  const lastStableOffset = Number(reader.readInt64())
  const logStart = Number(reader.readInt64())
  const aborted = reader.readNullableArray(
    one => ({ producerId: one.readInt64(), firstOffset: Number(one.readInt64()) }),
    isFlexible,
    isFlexible
  )
  reader.readInt32() // preferred read replica: we name no rack
  const records = reader.readNullableBytes(isFlexible) ?? undefined
  let divergingEndOffset = -1
  if (isFlexible) {
    const tags = reader.readUnsignedVarInt()
    for (let index = 0; index < tags; index++) {
      const tag = reader.readUnsignedVarInt()
      const end = reader.readUnsignedVarInt() + reader.position
      if (tag === 0) {
        reader.readInt32() // epoch
        divergingEndOffset = Number(reader.readInt64())
      }
      reader.position = end
    }
  }
  return {
    topicKey,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStart,
    divergingEndOffset,
    aborted: aborted ?? [],
    records: records === undefined || records.length === 0 ? undefined : records
  }
}
