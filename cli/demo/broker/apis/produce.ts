import type { Broker } from '../state.ts'
import { hasLogAppendTime } from '../topics.ts'
import { api } from '../wire/api.ts'
import { ERROR } from '../wire/error-codes.ts'
import { readHeader } from '../log/batch.ts'
import { array, int16, int32, int64, nullableString, records, since, string, struct } from '../wire/schema.ts'

const request = struct({
  transactionalId: nullableString,
  acks: int16,
  timeoutMs: int32,
  topicData: array(struct({ name: string, partitionData: array(struct({ index: int32, records })) }))
})

const response = struct({
  responses: array(
    struct({
      name: string,
      partitionResponses: array(
        struct({
          index: int32,
          errorCode: int16,
          baseOffset: since(0, int64, -1),
          logAppendTimeMs: since(2, int64, -1),
          logStartOffset: since(5, int64, -1),
          recordErrors: since(8, array(struct({ batchIndex: int32, batchIndexErrorMessage: nullableString }))),
          errorMessage: since(8, nullableString)
        })
      )
    })
  ),
  throttleTimeMs: since(1, int32)
})

export const produce = api({
  key: 0,
  versions: [3, 11],
  flexibleFrom: 9,
  request,
  response,
  handle: (broker, { transactionalId, acks, topicData }, call) => {
    const responses = topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const errorCode = call.injected(name)
        if (errorCode !== ERROR.NONE) return { index, errorCode }
        return {
          index,
          ...append(broker, { transactionalId, topic: name, partition: index, batches: records?.[0] ?? NO_BATCHES })
        }
      })
    }))
    return acks === 0 ? undefined : { responses }
  }
})

const NO_BATCHES = Buffer.alloc(0)

interface Append {
  transactionalId: string | null
  topic: string
  partition: number
  batches: Buffer
}

/** Stores the batches in turn; the first one refused ends it. Usually there is one. */
function append(broker: Broker, { transactionalId, topic, partition, batches }: Append) {
  const found = broker.topics.get(topic)
  const log = found?.partitions[partition]
  if (found === undefined || log === undefined) return { errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
  const logAppendTimeMs = hasLogAppendTime(found) ? broker.now() : undefined
  let firstOffset: number | undefined
  for (let position = 0; position < batches.length;) {
    const header = readHeader(batches, position)
    if (header === undefined)
      return { errorCode: ERROR.CORRUPT_MESSAGE, errorMessage: 'no whole record batch of magic 2' }
    const errorCode = header.isTransactional
      ? checkTransaction(broker, { transactionalId, topic, partition, header })
      : 0
    if (errorCode !== ERROR.NONE) return { errorCode }
    const appended = log.append(batches.subarray(position, position + header.sizeBytes), logAppendTimeMs)
    if (!('baseOffset' in appended)) return appended
    firstOffset ??= appended.baseOffset
    position += header.sizeBytes
  }
  if (firstOffset === undefined) return { errorCode: ERROR.INVALID_RECORD }
  return { errorCode: 0, baseOffset: firstOffset, logAppendTimeMs: logAppendTimeMs ?? -1, logStartOffset: log.start }
}

function checkTransaction(
  { transactions }: Broker,
  at: Omit<Append, 'batches'> & { header: { producerId: number; producerEpoch: number } }
): number {
  const { transactionalId, topic, partition, header } = at
  if (transactionalId === null) return ERROR.INVALID_TXN_STATE
  const errorCode = transactions.check(transactionalId, header.producerId, header.producerEpoch)
  if (errorCode !== ERROR.NONE) return errorCode
  return transactions.hasPartition(transactionalId, topic, partition) ? ERROR.NONE : ERROR.INVALID_TXN_STATE
}
