import type { Broker } from '../state.ts'
import { isLegalTopicName } from '../topics.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import {
  array,
  bool,
  type Draft,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  uuid,
  type Value
} from '../wire/schema.ts'

const MAX_PARTITIONS = 10_000

const creatable = struct({
  name: string,
  numPartitions: int32,
  replicationFactor: int16,
  assignments: array(struct({ partitionIndex: int32, brokerIds: array(int32) })),
  configs: array(struct({ name: string, value: nullableString }))
})

const result = struct({
  name: string,
  topicId: since(7, uuid),
  errorCode: int16,
  errorMessage: since(1, nullableString),
  numPartitions: since(5, int32, -1),
  replicationFactor: since(5, int16, -1),
  configs: since(
    5,
    nullableArray(
      struct({
        name: string,
        value: nullableString,
        readOnly: bool,
        configSource: since(5, int8, -1),
        isSensitive: bool
      })
    )
  )
})

export const createTopics = api({
  key: 19,
  versions: [0, 7],
  flexibleFrom: 5,
  request: struct({ topics: array(creatable), timeoutMs: int32, validateOnly: since(1, bool) }),
  response: struct({ throttleTimeMs: since(2, int32), topics: array(result) }),
  handle: (broker, { topics, validateOnly }, call) => ({
    topics: topics.map(topic => create(broker, topic, { validateOnly, injected: call.injected(topic.name) }))
  })
})

function create(
  broker: Broker,
  topic: Value<typeof creatable>,
  { validateOnly, injected }: { validateOnly: boolean; injected: number }
): Draft<Value<typeof result>> {
  const { name, assignments, configs } = topic
  const asked = assignments.length > 0 ? assignments.length : topic.numPartitions
  const numPartitions = asked === -1 ? broker.defaultPartitions : asked
  const refuse = (errorCode: number, errorMessage: string) => ({ name, errorCode, errorMessage })
  if (injected !== ERROR.NONE) return refuse(injected, 'injected')
  if (!isLegalTopicName(name)) return refuse(ERROR.INVALID_TOPIC, 'the name is not legal')
  if (broker.topics.get(name)) return refuse(ERROR.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  if (numPartitions < 1 || numPartitions > MAX_PARTITIONS)
    return refuse(ERROR.INVALID_PARTITIONS, `1 to ${MAX_PARTITIONS} partitions`)
  if (topic.replicationFactor > 1) return refuse(ERROR.INVALID_REPLICATION_FACTOR, 'there is one broker')
  if (validateOnly) return { name, numPartitions, replicationFactor: 1, configs: [] }
  const given = configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const]))
  const { topicId } = broker.topics.create(name, numPartitions, new Map(given))
  return { name, topicId, numPartitions, replicationFactor: 1, configs: [] }
}
