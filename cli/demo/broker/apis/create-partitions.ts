import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, bool, int16, int32, nullableArray, nullableString, string, struct } from '../wire/schema.ts'

export const createPartitions = api({
  key: 37,
  versions: [0, 3],
  flexibleFrom: 2,
  request: struct({
    topics: array(
      struct({ name: string, count: int32, assignments: nullableArray(struct({ brokerIds: array(int32) })) })
    ),
    timeoutMs: int32,
    validateOnly: bool
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(struct({ name: string, errorCode: int16, errorMessage: nullableString }))
  }),
  handle: (broker, { topics, validateOnly }, call) => ({
    results: topics.map(({ name, count }) => {
      const injected = call.injected(name)
      const topic = broker.topics.get(name)
      if (injected !== ERROR.NONE) return { name, errorCode: injected }
      if (topic === undefined) return { name, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
      if (count <= topic.partitions.length) {
        const errorMessage = `The topic has ${topic.partitions.length} partitions, and only more can be asked for.`
        return { name, errorCode: ERROR.INVALID_PARTITIONS, errorMessage }
      }
      if (!validateOnly) broker.topics.addPartitions(topic, count)
      return { name }
    })
  })
})
