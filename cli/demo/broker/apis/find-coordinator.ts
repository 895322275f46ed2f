import { api } from '../wire/api.ts'
import { array, int16, int32, int8, nullableString, since, string, struct, upTo } from '../wire/schema.ts'

export const findCoordinator = api({
  key: 10,
  versions: [0, 6],
  flexibleFrom: 3,
  request: struct({ key: upTo(3, string), keyType: since(1, int8), coordinatorKeys: since(4, array(string)) }),
  response: struct({
    throttleTimeMs: since(1, int32),
    errorCode: upTo(3, int16),
    errorMessage: upTo(3, since(1, nullableString)),
    nodeId: upTo(3, int32),
    host: upTo(3, string),
    port: upTo(3, int32),
    coordinators: since(
      4,
      array(
        struct({
          key: string,
          nodeId: int32,
          host: string,
          port: int32,
          errorCode: int16,
          errorMessage: nullableString
        })
      )
    )
  }),
  handle: ({ nodeId, host, port }, { coordinatorKeys }, call) => {
    const errorCode = call.injected()
    const node = errorCode === 0 ? { nodeId, host, port } : { nodeId: -1, host: '', port: -1 }
    return { errorCode, ...node, coordinators: coordinatorKeys.map(key => ({ key, errorCode, ...node })) }
  }
})
