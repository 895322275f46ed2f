import { refusedJoin } from '../groups/member.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, bool, bytes, int16, int32, nullableString, since, string, struct } from '../wire/schema.ts'

export const joinGroup = api({
  key: 11,
  versions: [0, 9],
  flexibleFrom: 6,
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
    reason: since(8, nullableString)
  }),
  response: struct({
    throttleTimeMs: since(2, int32),
    errorCode: int16,
    generationId: int32,
    protocolType: since(7, nullableString),
    protocolName: nullableString,
    leader: string,
    skipAssignment: since(9, bool),
    memberId: string,
    members: array(struct({ memberId: string, groupInstanceId: since(5, nullableString), metadata: bytes }))
  }),
  handle: async (broker, request, { apiVersion, clientId, clientHost, injected }) => {
    const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = request
    const errorCode =
      injected() ||
      (groupId === '' ? ERROR.INVALID_GROUP_ID : 0) ||
      (sessionTimeoutMs > 0 ? 0 : ERROR.INVALID_SESSION_TIMEOUT)
    if (errorCode !== ERROR.NONE) return refusedJoin(errorCode, memberId)
    const joined = await broker.groups.open(groupId).join({
      ...request,
      clientId,
      clientHost,
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      // A copy: the request's bytes are not to be kept for it.
      protocols: protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      requiresMemberId: apiVersion >= 4,
      supportsSkip: apiVersion >= 9
    })
    return apiVersion < 7 ? { ...joined, protocolName: joined.protocolName ?? '' } : joined
  }
})
