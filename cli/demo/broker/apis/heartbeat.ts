import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { int16, int32, nullableString, since, string, struct } from '../wire/schema.ts'

export const heartbeat = api({
  key: 12,
  versions: [0, 4],
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString)
  }),
  response: struct({ throttleTimeMs: since(1, int32), errorCode: int16 }),
  handle: (broker, request, call) => {
    const group = broker.groups.get(request.groupId)
    return {
      errorCode: call.injected() || (group?.heartbeat(request, request.generationId) ?? ERROR.UNKNOWN_MEMBER_ID)
    }
  }
})
