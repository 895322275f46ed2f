import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, int32, int64, nullableString, since, string, struct } from '../wire/schema.ts'

export const txnOffsetCommit = api({
  key: 28,
  versions: [0, 4],
  flexibleFrom: 3,
  request: struct({
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: since(3, int32, -1),
    memberId: since(3, string),
    groupInstanceId: since(3, nullableString),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(2, int32, -1),
            committedMetadata: nullableString
          })
        )
      })
    )
  }),
  response: struct({
    throttleTimeMs: int32,
    topics: array(struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }))
  }),
  handle: (broker, request, call) => {
    const { transactionalId, groupId: group, producerId, producerEpoch, generationId } = request
    const refused =
      broker.transactions.check(transactionalId, producerId, producerEpoch) ||
      (generationId >= 0
        ? (broker.groups.get(group)?.checkCommit(request, generationId) ?? ERROR.ILLEGAL_GENERATION)
        : 0)
    return {
      topics: request.topics.map(({ name: topic, partitions }) => ({
        name: topic,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
          const errorCode = call.injected(topic) || refused
          if (errorCode !== ERROR.NONE) return { partitionIndex, errorCode }
          broker.groups.open(group)
          const committed = {
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata: committedMetadata ?? ''
          }
          broker.transactions.addOffset(transactionalId, { group, topic, partition: partitionIndex, committed })
          return { partitionIndex, errorCode }
        })
      }))
    }
  }
})
