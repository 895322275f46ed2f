import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { int16, int32, int64, nullableString, since, struct } from '../wire/schema.ts'

export const initProducerId = api({
  key: 22,
  versions: [0, 5],
  flexibleFrom: 2,
  request: struct({
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: since(3, int64, -1),
    producerEpoch: since(3, int16, -1)
  }),
  response: struct({ throttleTimeMs: int32, errorCode: int16, producerId: int64, producerEpoch: int16 }),
  handle: (broker, { transactionalId }, call) => {
    const errorCode = call.injected()
    if (errorCode !== ERROR.NONE) return { errorCode, producerId: -1, producerEpoch: -1 }
    const { producerId, producerEpoch } = broker.transactions.initProducer(transactionalId)
    return { producerId, producerEpoch }
  }
})
