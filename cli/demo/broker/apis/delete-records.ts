import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, int32, int64, string, struct } from '../wire/schema.ts'

const TO_THE_END = -1

export const deleteRecords = api({
  key: 21,
  versions: [0, 2],
  flexibleFrom: 2,
  request: struct({
    topics: array(struct({ name: string, partitions: array(struct({ partitionIndex: int32, offset: int64 })) })),
    timeoutMs: int32
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ partitionIndex: int32, lowWatermark: int64, errorCode: int16 }))
      })
    )
  }),
  handle: (broker, { topics }, call) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => {
        const log = broker.topics.log(name, partitionIndex)
        const refuse = (errorCode: number) => ({ partitionIndex, lowWatermark: -1, errorCode })
        const injected = call.injected(name)
        if (injected !== ERROR.NONE) return refuse(injected)
        if (log === undefined) return refuse(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
        const before = offset === TO_THE_END ? log.end : offset
        if (before < 0 || before > log.end) return refuse(ERROR.OFFSET_OUT_OF_RANGE)
        log.deleteBefore(before)
        return { partitionIndex, lowWatermark: log.start }
      })
    }))
  })
})
