import { api } from '../wire/api.ts'
import { array, int16, int32, since, string, struct } from '../wire/schema.ts'

export const listGroups = api({
  key: 16,
  versions: [0, 5],
  flexibleFrom: 3,
  request: struct({ statesFilter: since(4, array(string)), typesFilter: since(5, array(string)) }),
  response: struct({
    throttleTimeMs: since(1, int32),
    errorCode: int16,
    groups: array(
      struct({ groupId: string, protocolType: string, groupState: since(4, string), groupType: since(5, string) })
    )
  }),
  handle: (broker, { statesFilter, typesFilter }, call) => {
    const all = Array.from(broker.groups.all(), ([groupId, { state, protocolType }]) => ({
      groupId,
      protocolType: protocolType ?? '',
      groupState: state,
      groupType: 'classic'
    }))
    const matches = (filter: readonly string[], value: string): boolean =>
      filter.length === 0 || filter.some(wanted => wanted.toLowerCase() === value.toLowerCase())
    return {
      errorCode: call.injected(),
      groups: all.filter(one => matches(statesFilter, one.groupState) && matches(typesFilter, one.groupType))
    }
  }
})
