import { type CommittedOffset, MAX_METADATA_BYTES } from '../groups/offsets.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, int32, int64, nullableString, since, string, struct, upTo } from '../wire/schema.ts'

export const offsetCommit = api({
  key: 8,
  versions: [2, 9],
  flexibleFrom: 8,
  request: struct({
    groupId: string,
    generationIdOrMemberEpoch: since(1, int32, -1),
    memberId: since(1, string),
    groupInstanceId: since(7, nullableString),
    retentionTimeMs: upTo(4, since(2, int64, -1)),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: since(6, int32, -1),
            committedMetadata: nullableString
          })
        )
      })
    )
  }),
  response: struct({
    throttleTimeMs: since(3, int32),
    topics: array(struct({ name: string, partitions: array(struct({ partitionIndex: int32, errorCode: int16 })) }))
  }),
  handle: (broker, request, call) => {
    const { groupId, generationIdOrMemberEpoch: generationId } = request
    // A new group may be made by anyone who claims no generation of it.
    const group = generationId < 0 ? broker.groups.open(groupId) : broker.groups.get(groupId)
    const refused = group === undefined ? ERROR.ILLEGAL_GENERATION : group.checkCommit(request, generationId)
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
          const metadata = committedMetadata ?? ''
          const exists = broker.topics.log(name, partitionIndex) !== undefined
          const errorCode = call.injected(name) || refused || refusal(exists, metadata)
          const committed: CommittedOffset = { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata }
          if (errorCode === ERROR.NONE) broker.groups.offsets.commit(groupId, name, partitionIndex, committed)
          return { partitionIndex, errorCode }
        })
      }))
    }
  }
})

function refusal(exists: boolean, metadata: string): number {
  if (!exists) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  return Buffer.byteLength(metadata) > MAX_METADATA_BYTES ? ERROR.OFFSET_METADATA_TOO_LARGE : ERROR.NONE
}
