import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, int32, int64, since, string, struct } from '../wire/schema.ts'

export const offsetForLeaderEpoch = api({
  key: 23,
  versions: [2, 4],
  flexibleFrom: 4,
  request: struct({
    replicaId: since(3, int32, -2),
    topics: array(
      struct({
        topic: string,
        partitions: array(struct({ partition: int32, currentLeaderEpoch: since(2, int32, -1), leaderEpoch: int32 }))
      })
    )
  }),
  response: struct({
    throttleTimeMs: since(2, int32),
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({
            errorCode: int16,
            partition: int32,
            leaderEpoch: since(1, int32, -1),
            endOffset: since(0, int64, -1)
          })
        )
      })
    )
  }),
  handle: (broker, { topics }, call) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const log = broker.topics.log(topic, partition)
        const injected = call.injected(topic)
        if (injected !== ERROR.NONE) return { partition, errorCode: injected }
        if (log === undefined) return { partition, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
        const errorCode = log.checkLeaderEpoch(currentLeaderEpoch)
        if (errorCode !== ERROR.NONE) return { partition, errorCode }
        const known = log.epochs.endOf(leaderEpoch, log.end)
        return { partition, leaderEpoch: known?.epoch ?? -1, endOffset: known?.endOffset ?? -1 }
      })
    }))
  })
})
