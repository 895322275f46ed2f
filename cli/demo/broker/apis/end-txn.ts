import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { bool, int16, int32, int64, string, struct } from '../wire/schema.ts'

/** Served up to version 4: from 5 on every end raises the producer's epoch (KIP-890), which this broker does not do. */
export const endTxn = api({
  key: 26,
  versions: [0, 4],
  flexibleFrom: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, committed: bool }),
  response: struct({ throttleTimeMs: int32, errorCode: int16 }),
  handle: (broker, { transactionalId, producerId, producerEpoch, committed }, call) => {
    const errorCode = call.injected() || broker.transactions.check(transactionalId, producerId, producerEpoch)
    if (errorCode === ERROR.NONE) broker.transactions.end(transactionalId, committed)
    return { errorCode }
  }
})
