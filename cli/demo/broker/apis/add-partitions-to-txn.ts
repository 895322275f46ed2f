import type { Broker } from '../state.ts'
import { api, type Call } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { array, bool, int16, int32, int64, since, string, struct, upTo } from '../wire/schema.ts'

const topicsRequest = array(struct({ name: string, partitions: array(int32) }))
const topicsResponse = array(
  struct({
    name: string,
    resultsByPartition: array(struct({ partitionIndex: int32, partitionErrorCode: int16 }))
  })
)

/** From version 4 on for several transactions at once. */
export const addPartitionsToTxn = api({
  key: 24,
  versions: [0, 5],
  flexibleFrom: 3,
  request: struct({
    transactions: since(
      4,
      array(
        struct({
          transactionalId: string,
          producerId: int64,
          producerEpoch: int16,
          verifyOnly: bool,
          topics: topicsRequest
        })
      )
    ),
    transactionalId: upTo(3, string),
    producerId: upTo(3, int64),
    producerEpoch: upTo(3, int16),
    topics: upTo(3, topicsRequest)
  }),
  response: struct({
    throttleTimeMs: int32,
    errorCode: since(4, int16),
    resultsByTransaction: since(4, array(struct({ transactionalId: string, topicResults: topicsResponse }))),
    resultsByTopic: upTo(3, topicsResponse)
  }),
  handle: (broker, request, call) => {
    if (call.apiVersion < 4) return { resultsByTopic: add(broker, call, { ...request, verifyOnly: false }) }
    return {
      resultsByTransaction: request.transactions.map(one => ({
        transactionalId: one.transactionalId,
        topicResults: add(broker, call, one)
      }))
    }
  }
})

interface Addition {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly verifyOnly: boolean
  readonly topics: readonly { name: string; partitions: readonly number[] }[]
}

function add({ topics: known, transactions }: Broker, call: Call, addition: Addition) {
  const { transactionalId, producerId, producerEpoch, verifyOnly, topics } = addition
  const refused = transactions.check(transactionalId, producerId, producerEpoch)
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => {
      const exists = known.log(name, partitionIndex) !== undefined
      const errorCode = call.injected(name) || refused || (exists ? ERROR.NONE : ERROR.UNKNOWN_TOPIC_OR_PARTITION)
      if (verifyOnly && errorCode === ERROR.NONE) {
        const isIn = transactions.hasPartition(transactionalId, name, partitionIndex)
        return { partitionIndex, partitionErrorCode: isIn ? ERROR.NONE : ERROR.INVALID_TXN_STATE }
      }
      if (errorCode === ERROR.NONE) transactions.addPartition(transactionalId, name, partitionIndex)
      return { partitionIndex, partitionErrorCode: errorCode }
    })
  }))
}
