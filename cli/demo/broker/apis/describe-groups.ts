import type { Group } from '../groups/group.ts'
import { metadataFor } from '../groups/member.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, bool, bytes, int16, int32, nullableString, since, string, struct } from '../wire/schema.ts'

const NO_OPERATIONS = -2147483648

export const describeGroups = api({
  key: 15,
  versions: [0, 5],
  flexibleFrom: 5,
  request: struct({ groups: array(string), includeAuthorizedOperations: since(3, bool) }),
  response: struct({
    throttleTimeMs: since(1, int32),
    groups: array(
      struct({
        errorCode: int16,
        groupId: string,
        groupState: string,
        protocolType: string,
        protocolData: string,
        members: array(
          struct({
            memberId: string,
            groupInstanceId: since(4, nullableString),
            clientId: string,
            clientHost: string,
            memberMetadata: bytes,
            memberAssignment: bytes
          })
        ),
        authorizedOperations: since(3, int32, NO_OPERATIONS)
      })
    )
  }),
  handle: (broker, { groups }, call) => ({
    groups: groups.map(groupId => {
      const group = broker.groups.get(groupId)
      const errorCode = call.injected()
      if (errorCode !== ERROR.NONE || group === undefined) return { errorCode, groupId, groupState: 'Dead' }
      return { groupId, ...describe(group) }
    })
  })
})

function describe(group: Group) {
  const { state, protocolType, protocolName, members } = group
  const isStable = state === 'Stable'
  return {
    groupState: state,
    protocolType: protocolType ?? '',
    protocolData: isStable ? (protocolName ?? '') : '',
    members: Array.from(members.values(), member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: `/${member.clientHost}`,
      memberMetadata: isStable ? metadataFor(member, protocolName) : Buffer.alloc(0),
      memberAssignment: member.assignment
    }))
  }
}
