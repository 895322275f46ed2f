import type { Broker } from '../state.ts'
import { isLegalTopicName, type Topic } from '../topics.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { EMPTY_UUID } from '../wire/reader.ts'
import {
  array,
  bool,
  int16,
  int32,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  upTo,
  uuid
} from '../wire/schema.ts'

const NO_OPERATIONS = -2147483648

const request = struct({
  topics: nullableArray(struct({ topicId: since(10, uuid), name: nullableString })),
  allowAutoTopicCreation: since(4, bool, true),
  includeClusterAuthorizedOperations: upTo(10, since(8, bool)),
  includeTopicAuthorizedOperations: since(8, bool)
})

const response = struct({
  throttleTimeMs: since(3, int32),
  brokers: array(struct({ nodeId: int32, host: string, port: int32, rack: since(1, nullableString) })),
  clusterId: since(2, nullableString),
  controllerId: since(1, int32),
  topics: array(
    struct({
      errorCode: int16,
      name: nullableString,
      topicId: since(10, uuid),
      isInternal: since(1, bool),
      partitions: array(
        struct({
          errorCode: int16,
          partitionIndex: int32,
          leaderId: int32,
          leaderEpoch: since(7, int32),
          replicaNodes: array(int32),
          isrNodes: array(int32),
          offlineReplicas: since(5, array(int32))
        })
      ),
      topicAuthorizedOperations: since(8, int32, NO_OPERATIONS)
    })
  ),
  clusterAuthorizedOperations: upTo(10, since(8, int32, NO_OPERATIONS))
})

export const metadata = api({
  key: 3,
  versions: [0, 12],
  flexibleFrom: 9,
  request,
  response,
  handle: (broker, { topics, allowAutoTopicCreation }, call) => {
    const wantsAll = topics === null || (call.apiVersion === 0 && topics.length === 0)
    const wanted = wantsAll ? Array.from(broker.topics.all(), ({ name, topicId }) => ({ name, topicId })) : topics
    return {
      brokers: [{ nodeId: broker.nodeId, host: broker.host, port: broker.port }],
      clusterId: broker.clusterId,
      controllerId: broker.nodeId,
      topics: wanted.map(({ name, topicId }) => {
        const topic = find(broker, name, topicId, allowAutoTopicCreation)
        const injected = call.injected(typeof topic === 'number' ? (name ?? undefined) : topic.name)
        if (injected !== ERROR.NONE) return { errorCode: injected, name: name ?? '', topicId }
        if (typeof topic === 'number')
          return { errorCode: topic, name: name ?? (call.apiVersion < 12 ? '' : null), topicId }
        return { name: topic.name, topicId: topic.topicId, partitions: describe(broker, topic) }
      })
    }
  }
})

/** The topic or an error code. */
function find(broker: Broker, name: string | null, topicId: string, mayCreate: boolean): Topic | number {
  if (name === null || (name === '' && topicId !== EMPTY_UUID))
    return broker.topics.withId(topicId) ?? ERROR.UNKNOWN_TOPIC_ID
  const known = broker.topics.get(name)
  if (known) return known
  if (!isLegalTopicName(name)) return ERROR.INVALID_TOPIC
  if (!mayCreate || !broker.autoCreateTopics) return ERROR.UNKNOWN_TOPIC_OR_PARTITION
  return broker.topics.create(name, broker.defaultPartitions)
}

const describe = (broker: Broker, topic: Topic) =>
  topic.partitions.map((log, partitionIndex) => ({
    partitionIndex,
    leaderId: broker.nodeId,
    leaderEpoch: log.epochs.current,
    replicaNodes: [broker.nodeId],
    isrNodes: [broker.nodeId]
  }))
