import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, int16, int32, nullableString, since, string, struct, upTo, uuid } from '../wire/schema.ts'

export const deleteTopics = api({
  key: 20,
  versions: [0, 6],
  flexibleFrom: 4,
  request: struct({
    topics: since(6, array(struct({ name: nullableString, topicId: uuid }))),
    topicNames: upTo(5, array(string)),
    timeoutMs: int32
  }),
  response: struct({
    throttleTimeMs: since(1, int32),
    responses: array(
      struct({
        name: nullableString,
        topicId: since(6, uuid),
        errorCode: int16,
        errorMessage: since(5, nullableString)
      })
    )
  }),
  handle: (broker, { topics, topicNames }, call) => {
    const byName = topicNames.map(name => ({ name, topicId: '' }))
    const wanted = call.apiVersion >= 6 ? topics : byName
    return {
      responses: wanted.map(({ name, topicId }) => {
        const topic = name === null ? broker.topics.withId(topicId) : broker.topics.get(name)
        const unknown = name === null ? ERROR.UNKNOWN_TOPIC_ID : ERROR.UNKNOWN_TOPIC_OR_PARTITION
        const errorCode =
          call.injected(topic?.name ?? name ?? undefined) || (topic === undefined ? unknown : ERROR.NONE)
        if (errorCode !== ERROR.NONE || topic === undefined) return { name, ...(topicId && { topicId }), errorCode }
        broker.topics.delete(topic)
        broker.groups.offsets.deleteTopic(topic.name)
        return { name: topic.name, topicId: topic.topicId }
      })
    }
  }
})
