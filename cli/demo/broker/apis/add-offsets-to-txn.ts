import { api } from '../wire/api.ts'
import { int16, int32, int64, string, struct } from '../wire/schema.ts'

/** Only checks: the offsets themselves tell later which group they are for. */
export const addOffsetsToTxn = api({
  key: 25,
  versions: [0, 4],
  flexibleFrom: 3,
  request: struct({ transactionalId: string, producerId: int64, producerEpoch: int16, groupId: string }),
  response: struct({ throttleTimeMs: int32, errorCode: int16 }),
  handle: (broker, { transactionalId, producerId, producerEpoch }, call) => ({
    errorCode: call.injected() || broker.transactions.check(transactionalId, producerId, producerEpoch)
  })
})
