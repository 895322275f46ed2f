import { ERROR } from '../wire/error-codes.ts'
import type { BatchHeader } from './batch.ts'

interface Appended {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

/** How many batches of a producer are remembered, as in Kafka: the most a producer may have in flight. */
const REMEMBERED = 5
const SEQUENCES = 2 ** 31

/** What one partition knows of idempotent producers (KIP-98): repeated batches are answered, not stored again. */
export class Producers {
  #known = new Map<number, { epoch: number; recent: Appended[] }>()

  /** An error code, or the offset under which this very batch was stored before, or neither. */
  check(batch: BatchHeader): { errorCode: number; storedAt?: number } {
    const known = this.#known.get(batch.producerId)
    if (known === undefined || batch.isControl) return { errorCode: ERROR.NONE }
    if (batch.producerEpoch < known.epoch) return { errorCode: ERROR.INVALID_PRODUCER_EPOCH }
    const isNewEpoch = batch.producerEpoch > known.epoch
    const last = lastSequence(batch)
    const same = known.recent.find(one => one.firstSequence === batch.baseSequence && one.lastSequence === last)
    if (!isNewEpoch && same) return { errorCode: ERROR.NONE, storedAt: same.baseOffset }
    const latest = isNewEpoch ? undefined : known.recent.at(-1)
    const expected = latest === undefined ? 0 : (latest.lastSequence + 1) % SEQUENCES
    return { errorCode: batch.baseSequence === expected ? ERROR.NONE : ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER }
  }

  remember(batch: BatchHeader): void {
    if (batch.producerId < 0) return
    const known = this.#known.get(batch.producerId)
    const recent = known === undefined || known.epoch !== batch.producerEpoch ? [] : known.recent
    if (!batch.isControl) {
      recent.push({
        firstSequence: batch.baseSequence,
        lastSequence: lastSequence(batch),
        baseOffset: batch.baseOffset
      })
      if (recent.length > REMEMBERED) recent.shift()
    }
    this.#known.set(batch.producerId, { epoch: batch.producerEpoch, recent })
  }
}

const lastSequence = (batch: BatchHeader): number =>
  (batch.baseSequence + batch.lastOffset - batch.baseOffset) % SEQUENCES
