import type { Pending } from './decode/value-reader.ts'
import { partitionId, type PartitionId } from './partition.ts'
import type { RecordBatch } from './record-batch.ts'
import type { Blocked, Slot, SlotPlace } from './slot.ts'

/** Batches kept of partitions that wait for a schema; beyond it they are fetched again. */
const MAX_HELD_BYTES = 4 * 1024 * 1024

/**
 * Batches of one table that are not decoded yet: because the table is full, or because the next record of their
 * partition waits for a schema. Such a partition holds up none of the others.
 */
export class WaitingBatches {
  readonly #slots: ReadonlyMap<PartitionId, Slot>
  #batches: RecordBatch[] = []
  #heldBytes = 0

  constructor(slots: ReadonlyMap<PartitionId, Slot>) {
    this.#slots = slots
  }

  /** What waits for the table to have room. */
  get bytes(): number {
    return this.#batches.reduce((sum, { records }) => sum + records.length, 0) - this.#heldBytes
  }

  add(batch: RecordBatch): void {
    // What came before it is not here any more.
    if (this.#placeOf(batch)?.blocked?.mustSeek !== true) this.#batches.push(batch)
  }

  /** Offers each batch to `append`, in order, unless its partition is blocked; keeps those for which it gives false. */
  admit(append: (batch: RecordBatch) => boolean): void {
    if (this.#batches.length === 0) return
    this.#batches = this.#batches.filter(batch => {
      const place = this.#placeOf(batch)
      if (place?.blocked?.isReady === true && !place.blocked.mustSeek) place.blocked = undefined
      return place?.blocked !== undefined || !append(batch)
    })
    this.#recount()
    if (this.#heldBytes > MAX_HELD_BYTES) this.#letGo()
  }

  /** Positions of partitions that can go on and whose batches were let go: to be sought before the source gives others. */
  reopen(): ReadonlyMap<PartitionId, number> {
    const positions = new Map<PartitionId, number>()
    for (const { id, place } of this.#slots.values()) {
      if (place?.blocked?.isReady !== true || !place.blocked.mustSeek) continue
      place.blocked = undefined
      positions.set(id, place.nextOffset)
    }
    return positions
  }

  /** Drops batches of partitions that went: they must not be appended where those are placed next. */
  forgetUnplaced(): void {
    this.#batches = this.#batches.filter(batch => this.#placeOf(batch) !== undefined)
    this.#recount()
  }

  /** Gives up batches of partitions that are blocked, the last ones first. */
  #letGo(): void {
    for (const { place, id } of [...this.#slots.values()].reverse()) {
      if (this.#heldBytes <= MAX_HELD_BYTES) return
      if (place?.blocked === undefined) continue
      place.blocked.mustSeek = true
      this.#batches = this.#batches.filter(({ partition }) => partitionId(partition) !== id)
      this.#recount()
    }
  }

  #recount(): void {
    this.#heldBytes = this.#batches.reduce(
      (sum, batch) => sum + (this.#placeOf(batch)?.blocked === undefined ? 0 : batch.records.length),
      0
    )
  }

  #placeOf({ partition }: RecordBatch): SlotPlace | undefined {
    return this.#slots.get(partitionId(partition))?.place
  }
}

export function blockedBy(pending: Pending): Blocked {
  const blocked: Blocked = { pending, isReady: false, mustSeek: false }
  void pending.ready.then(() => {
    blocked.isReady = true
  })
  return blocked
}
