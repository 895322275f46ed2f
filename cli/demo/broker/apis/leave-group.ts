import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, int32, nullableString, since, string, struct, upTo } from '../wire/schema.ts'

export const leaveGroup = api({
  key: 13,
  versions: [0, 5],
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    memberId: upTo(2, string),
    members: since(
      3,
      array(struct({ memberId: string, groupInstanceId: nullableString, reason: since(5, nullableString) }))
    )
  }),
  response: struct({
    throttleTimeMs: since(1, int32),
    errorCode: int16,
    members: since(3, array(struct({ memberId: string, groupInstanceId: nullableString, errorCode: int16 })))
  }),
  handle: (broker, { groupId, memberId, members }, call) => {
    const injected = call.injected()
    if (injected !== ERROR.NONE) return { errorCode: injected }
    const group = broker.groups.get(groupId)
    const isSingle = call.apiVersion < 3
    const leaving = isSingle ? [{ memberId, groupInstanceId: null }] : members
    const left = leaving.map(one => ({
      memberId: one.memberId,
      groupInstanceId: one.groupInstanceId,
      errorCode: group?.leave(one) ?? ERROR.UNKNOWN_MEMBER_ID
    }))
    return isSingle ? { errorCode: left[0]?.errorCode ?? ERROR.NONE } : { members: left }
  }
})
