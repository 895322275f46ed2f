import type { Broker } from '../state.ts'
import { api, type Call } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import {
  array,
  bool,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  upTo
} from '../wire/schema.ts'

const topicsRequest = nullableArray(struct({ name: string, partitionIndexes: array(int32) }))
const topicsResponse = array(
  struct({
    name: string,
    partitions: array(
      struct({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: since(5, int32, -1),
        metadata: nullableString,
        errorCode: int16
      })
    )
  })
)

/** Of many groups from version 8 on; topics of null mean all that the group holds. */
export const offsetFetch = api({
  key: 9,
  versions: [1, 9],
  flexibleFrom: 6,
  request: struct({
    groupId: upTo(7, string),
    topics: upTo(7, topicsRequest),
    groups: since(
      8,
      array(
        struct({
          groupId: string,
          memberId: since(9, nullableString),
          memberEpoch: since(9, int32, -1),
          topics: topicsRequest
        })
      )
    ),
    requireStable: since(7, bool)
  }),
  response: struct({
    throttleTimeMs: since(3, int32),
    topics: upTo(7, topicsResponse),
    errorCode: upTo(7, since(2, int16)),
    groups: since(8, array(struct({ groupId: string, topics: topicsResponse, errorCode: int16 })))
  }),
  handle: (broker, { groupId, topics, groups, requireStable }, call) => {
    const errorCode = call.injected()
    const of = (id: string, wanted: Wanted) =>
      errorCode === ERROR.NONE ? { topics: read(broker, call, { groupId: id, wanted, requireStable }) } : { errorCode }
    if (call.apiVersion < 8) return of(groupId, topics)
    return { groups: groups.map(one => ({ groupId: one.groupId, ...of(one.groupId, one.topics) })) }
  }
})

type Wanted = readonly { name: string; partitionIndexes: readonly number[] }[] | null

function read(broker: Broker, call: Call, of: { groupId: string; wanted: Wanted; requireStable: boolean }) {
  const { groupId, wanted, requireStable } = of
  const { offsets } = broker.groups
  const all = () =>
    Array.from(offsets.all(groupId), ([name, partitions]) => ({ name, partitionIndexes: [...partitions.keys()] }))
  return (wanted ?? all()).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => {
      const committed = offsets.get(groupId, name, partitionIndex)
      const isUnstable = requireStable && broker.transactions.isUnstable(groupId, name, partitionIndex)
      const errorCode = call.injected(name) || (isUnstable ? ERROR.UNSTABLE_OFFSET_COMMIT : ERROR.NONE)
      if (errorCode !== ERROR.NONE || committed === undefined)
        return { partitionIndex, committedOffset: -1, metadata: '', errorCode }
      const { offset, leaderEpoch, metadata } = committed
      return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode }
    })
  }))
}
