import { refusedSync } from '../groups/member.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, bytes, int16, int32, nullableString, since, string, struct } from '../wire/schema.ts'

export const syncGroup = api({
  key: 14,
  versions: [0, 5],
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString),
    protocolType: since(5, nullableString),
    protocolName: since(5, nullableString),
    assignments: array(struct({ memberId: string, assignment: bytes }))
  }),
  response: struct({
    throttleTimeMs: since(1, int32),
    errorCode: int16,
    protocolType: since(5, nullableString),
    protocolName: since(5, nullableString),
    assignment: bytes
  }),
  handle: async (broker, request, call) => {
    const errorCode = call.injected()
    const group = broker.groups.get(request.groupId)
    if (errorCode !== ERROR.NONE || group === undefined) return refusedSync(errorCode || ERROR.UNKNOWN_MEMBER_ID)
    return group.sync(request)
  }
})
