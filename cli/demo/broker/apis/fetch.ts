import type { PartitionLog } from '../log/partition-log.ts'
import type { Broker } from '../state.ts'
import { api, type Call } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import {
  array,
  type Draft,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  records,
  since,
  string,
  struct,
  tagged,
  upTo,
  uuid,
  type Value
} from '../wire/schema.ts'

const request = struct({
  replicaId: upTo(14, int32),
  maxWaitMs: int32,
  minBytes: int32,
  maxBytes: int32,
  isolationLevel: int8,
  sessionId: since(7, int32),
  sessionEpoch: since(7, int32, -1),
  topics: array(
    struct({
      topic: upTo(12, string),
      topicId: since(13, uuid),
      partitions: array(
        struct({
          partition: int32,
          currentLeaderEpoch: since(9, int32, -1),
          fetchOffset: int64,
          lastFetchedEpoch: since(12, int32, -1),
          logStartOffset: since(5, int64),
          partitionMaxBytes: int32
        })
      )
    })
  ),
  forgottenTopicsData: since(
    7,
    array(struct({ topic: upTo(12, string), topicId: since(13, uuid), partitions: array(int32) }))
  ),
  rackId: since(11, string)
})

const partitionResponse = struct({
  partitionIndex: int32,
  errorCode: int16,
  highWatermark: since(0, int64, -1),
  lastStableOffset: since(4, int64, -1),
  logStartOffset: since(5, int64, -1),
  divergingEpoch: tagged(0, 12, struct({ epoch: int32, endOffset: int64 })),
  abortedTransactions: nullableArray(struct({ producerId: int64, firstOffset: int64 })),
  preferredReadReplica: since(11, int32, -1),
  records: since(0, records, [])
})

const response = struct({
  throttleTimeMs: since(1, int32),
  errorCode: since(7, int16),
  sessionId: since(7, int32),
  responses: array(struct({ topic: upTo(12, string), topicId: since(13, uuid), partitions: array(partitionResponse) }))
})

type Request = Value<typeof request>
type PartitionRequest = Request['topics'][number]['partitions'][number]
type PartitionResponse = Draft<Value<typeof partitionResponse>>

/** What one partition of a request comes to: an answer as it stands, or a log to read from. */
type Target = { answer: PartitionResponse } | { log: PartitionLog; wanted: PartitionRequest; end: number }

const READ_COMMITTED = 1

/** Every fetch is answered in full: session id 0 says that there is no session (KIP-227). */
export const fetch = api({
  key: 1,
  versions: [4, 17],
  flexibleFrom: 12,
  request,
  response,
  handle: async (broker, request, call) => {
    const errorCode = call.injected()
    if (errorCode !== ERROR.NONE) return { errorCode }
    const first = inspect(broker, request, call)
    if (request.maxWaitMs > 0 && !isDue(first, request.minBytes)) await waitUntilDue(broker, request, call, first)
    return answer(inspect(broker, request, call), request)
  }
})

type Inspected = readonly { topic: string; topicId: string; targets: readonly Target[] }[]

const inspect = (broker: Broker, request: Request, call: Call): Inspected =>
  request.topics.map(({ topic, topicId, partitions }) => {
    const found = call.apiVersion >= 13 ? broker.topics.withId(topicId) : broker.topics.get(topic)
    const missing = call.apiVersion >= 13 ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION
    const injected = call.injected(found?.name ?? topic)
    const targets = partitions.map((wanted): Target => {
      const partitionIndex = wanted.partition
      if (injected !== ERROR.NONE) return { answer: { partitionIndex, errorCode: injected } }
      if (found === undefined) return { answer: { partitionIndex, errorCode: missing } }
      const log = found.partitions[partitionIndex]
      if (log === undefined) return { answer: { partitionIndex, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION } }
      return check(log, wanted, request.isolationLevel === READ_COMMITTED)
    })
    return { topic, topicId, targets }
  })

/** The checks of epoch (KIP-320, KIP-595) and offset that come before reading. */
function check(log: PartitionLog, wanted: PartitionRequest, isCommittedOnly: boolean): Target {
  const { currentLeaderEpoch, lastFetchedEpoch, fetchOffset } = wanted
  const refuse = (errorCode: number, more: PartitionResponse = {}): Target => ({
    answer: { partitionIndex: wanted.partition, errorCode, ...more }
  })
  const errorCode = log.checkLeaderEpoch(currentLeaderEpoch)
  if (errorCode !== ERROR.NONE) return refuse(errorCode)
  if (lastFetchedEpoch >= 0) {
    const known = log.epochs.endOf(lastFetchedEpoch, log.end)
    if (known === undefined) return refuse(ERROR.OFFSET_OUT_OF_RANGE, bounds(log))
    if (known.epoch < lastFetchedEpoch || known.endOffset < fetchOffset)
      return refuse(ERROR.NONE, { ...bounds(log), divergingEpoch: known, abortedTransactions: null })
  }
  if (fetchOffset < log.start || fetchOffset > log.end) return refuse(ERROR.OFFSET_OUT_OF_RANGE)
  return { log, wanted, end: isCommittedOnly ? log.stableEnd : log.end }
}

const bounds = (log: PartitionLog) => ({
  highWatermark: log.end,
  lastStableOffset: log.stableEnd,
  logStartOffset: log.start
})

/** Whether the answer need not wait: enough to read, or something to say that no waiting changes. */
function isDue(inspected: Inspected, minBytes: number): boolean {
  let found = 0
  for (const { targets } of inspected)
    for (const target of targets) {
      if ('answer' in target) return true
      found += target.log.available(target.wanted.fetchOffset, target.end, minBytes)
      if (found >= minBytes) return true
    }
  return inspected.length === 0
}

/** Waits for enough bytes or the request's time, whichever comes first. */
function waitUntilDue(broker: Broker, request: Request, call: Call, first: Inspected): Promise<void> {
  return new Promise(resolve => {
    const logs = first.flatMap(({ targets }) => targets.flatMap(target => ('log' in target ? [target.log] : [])))
    const done = () => {
      clearTimeout(timer)
      for (const stop of stops) stop()
      resolve()
    }
    const timer = setTimeout(done, request.maxWaitMs)
    const stops = logs.map(log => log.watch(() => isDue(inspect(broker, request, call), request.minBytes) && done()))
  })
}

function answer(inspected: Inspected, { maxBytes, isolationLevel }: Request) {
  let left = maxBytes
  let isFirst = true
  const responses = inspected.map(({ topic, topicId, targets }) => ({
    topic,
    topicId,
    partitions: targets.map(target => {
      if ('answer' in target) return target.answer
      const { log, wanted, end } = target
      const limit = Math.max(isFirst ? 1 : 0, Math.min(left, wanted.partitionMaxBytes))
      const parts = log.read(wanted.fetchOffset, end, limit, isFirst)
      const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0)
      left -= sizeBytes
      isFirst &&= sizeBytes === 0
      const aborted = isolationLevel === READ_COMMITTED ? log.transactions.aborted(wanted.fetchOffset, end) : null
      return {
        partitionIndex: wanted.partition,
        ...bounds(log),
        abortedTransactions: aborted?.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })) ?? null,
        records: parts
      }
    })
  }))
  return { responses }
}
