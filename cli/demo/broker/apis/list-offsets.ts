import { findLatestTime, findTime } from '../log/find-time.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, int32, int64, int8, since, string, struct } from '../wire/schema.ts'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const READ_COMMITTED = 1

export const listOffsets = api({
  key: 2,
  versions: [1, 10],
  flexibleFrom: 6,
  request: struct({
    replicaId: int32,
    isolationLevel: since(2, int8),
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ partitionIndex: int32, currentLeaderEpoch: since(4, int32, -1), timestamp: int64 }))
      })
    ),
    timeoutMs: since(10, int32)
  }),
  response: struct({
    throttleTimeMs: since(2, int32),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            errorCode: int16,
            timestamp: since(1, int64, -1),
            offset: since(1, int64, -1),
            leaderEpoch: since(4, int32, -1)
          })
        )
      })
    )
  }),
  handle: (broker, { topics, isolationLevel }, call) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp, currentLeaderEpoch }) => {
        const log = broker.topics.log(name, partitionIndex)
        const errorCode =
          call.injected(name) || (log?.checkLeaderEpoch(currentLeaderEpoch) ?? ERROR.UNKNOWN_TOPIC_OR_PARTITION)
        if (errorCode !== ERROR.NONE || log === undefined) return { partitionIndex, errorCode }
        const end = isolationLevel === READ_COMMITTED ? log.stableEnd : log.end
        return { partitionIndex, errorCode, ...find(log, timestamp, end) }
      })
    }))
  })
})

function find(log: PartitionLog, timestamp: number, end: number) {
  if (timestamp === LATEST) return { offset: end, leaderEpoch: log.epochs.current }
  if (timestamp === EARLIEST || timestamp === EARLIEST_LOCAL)
    return { offset: log.start, leaderEpoch: log.epochs.at(log.start) }
  if (timestamp === MAX_TIMESTAMP) return findLatestTime(log, end)
  return timestamp < 0 ? undefined : findTime(log, timestamp, end)
}
