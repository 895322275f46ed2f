import { endMarker } from './log/batch.ts'
import type { CommittedOffset, Offsets } from './groups/offsets.ts'
import type { Topics } from './topics.ts'
import { ERROR } from './wire/error-codes.ts'

interface Transaction {
  readonly producerId: number
  producerEpoch: number
  /** `topic` and partition written in the transaction that is open now. */
  partitions: { topic: string; partition: number }[]
  /** What becomes visible with its commit. */
  offsets: { group: string; topic: string; partition: number; committed: CommittedOffset }[]
}

/** Producer ids and the transactions of producers (KIP-98), enough to test what read_committed sees. */
export class Transactions {
  #byId = new Map<string, Transaction>()
  #nextProducerId: number
  #topics: Topics
  #offsets: Offsets
  #now: () => number

  constructor(topics: Topics, offsets: Offsets, now: () => number) {
    this.#topics = topics
    this.#offsets = offsets
    this.#now = now
    this.#nextProducerId = now() // so that ids differ from those of an earlier run on the same folder
  }

  /** A producer id; for a known transactional id the same one in a new epoch, which fences and aborts the old. */
  initProducer(transactionalId: string | null): { producerId: number; producerEpoch: number } {
    if (transactionalId === null) return { producerId: this.#nextProducerId++, producerEpoch: 0 }
    const known = this.#byId.get(transactionalId)
    if (known === undefined) {
      const fresh = { producerId: this.#nextProducerId++, producerEpoch: 0, partitions: [], offsets: [] }
      this.#byId.set(transactionalId, fresh)
      return fresh
    }
    known.producerEpoch++
    this.#finish(known, false)
    return known
  }

  /** An error code for whoever speaks in the name of a transactional id. */
  check(transactionalId: string, producerId: number, producerEpoch: number): number {
    const known = this.#byId.get(transactionalId)
    if (known === undefined || known.producerId !== producerId) return ERROR.INVALID_PRODUCER_ID_MAPPING
    return known.producerEpoch === producerEpoch ? ERROR.NONE : ERROR.INVALID_PRODUCER_EPOCH
  }

  addPartition(transactionalId: string, topic: string, partition: number): void {
    const partitions = this.#byId.get(transactionalId)?.partitions
    if (partitions?.some(one => one.topic === topic && one.partition === partition)) return
    partitions?.push({ topic, partition })
  }

  hasPartition(transactionalId: string, topic: string, partition: number): boolean {
    const partitions = this.#byId.get(transactionalId)?.partitions ?? []
    return partitions.some(one => one.topic === topic && one.partition === partition)
  }

  addOffset(transactionalId: string, offset: Transaction['offsets'][number]): void {
    this.#byId.get(transactionalId)?.offsets.push(offset)
  }

  /** Whether an open transaction holds an offset of this partition for the group. */
  isUnstable(group: string, topic: string, partition: number): boolean {
    for (const { offsets } of this.#byId.values())
      if (offsets.some(one => one.group === group && one.topic === topic && one.partition === partition)) return true
    return false
  }

  end(transactionalId: string, commit: boolean): void {
    const known = this.#byId.get(transactionalId)
    if (known) this.#finish(known, commit)
  }

  #finish(transaction: Transaction, commit: boolean): void {
    const { producerId, producerEpoch, partitions, offsets } = transaction
    for (const { topic, partition } of partitions) {
      const marker = endMarker({ commit, producerId, producerEpoch, timestampMs: this.#now() })
      this.#topics.log(topic, partition)?.append(marker)
    }
    if (commit) for (const one of offsets) this.#offsets.commit(one.group, one.topic, one.partition, one.committed)
    transaction.partitions = []
    transaction.offsets = []
  }
}
