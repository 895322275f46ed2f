import { api } from '../wire/api.ts'
import { array, bool, int16, int32, int8, nullableString, since, string, struct } from '../wire/schema.ts'

const NO_OPERATIONS = -2147483648

export const describeCluster = api({
  key: 60,
  versions: [0, 1],
  flexibleFrom: 0,
  request: struct({ includeClusterAuthorizedOperations: bool, endpointType: since(1, int8, 1) }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: nullableString,
    endpointType: since(1, int8, 1),
    clusterId: string,
    controllerId: int32,
    brokers: array(struct({ brokerId: int32, host: string, port: int32, rack: nullableString })),
    clusterAuthorizedOperations: since(0, int32, NO_OPERATIONS)
  }),
  handle: ({ clusterId, nodeId, host, port }, _request, call) => ({
    errorCode: call.injected(),
    clusterId,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, host, port }]
  })
})
