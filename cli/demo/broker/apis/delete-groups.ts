import { api } from '../wire/api.ts'
import { array, int16, int32, string, struct } from '../wire/schema.ts'

export const deleteGroups = api({
  key: 42,
  versions: [0, 2],
  flexibleFrom: 2,
  request: struct({ groupsNames: array(string) }),
  response: struct({ throttleTimeMs: int32, results: array(struct({ groupId: string, errorCode: int16 })) }),
  handle: (broker, { groupsNames }, call) => ({
    results: groupsNames.map(groupId => ({ groupId, errorCode: call.injected() || broker.groups.delete(groupId) }))
  })
})
