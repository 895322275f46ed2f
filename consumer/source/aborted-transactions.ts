/** A transaction of `producerId` that was aborted, with its first offset, as a fetch response lists them. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/**
 * Tells which transactional batches of one record set are to be skipped under `read_committed`: those of a producer
 * from the first offset of its aborted transaction to the abort marker (KIP-98). Asked in offset order.
 */
export class AbortedTransactions {
  /** Descending, so that the next to begin is the last. */
  readonly #upcoming: AbortedTransaction[]
  readonly #open = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Whether a transactional batch of `producerId` that ends at `lastOffset` belongs to an aborted transaction. */
  holds(producerId: bigint, lastOffset: number): boolean {
    for (
      let next = this.#upcoming.at(-1);
      next !== undefined && next.firstOffset <= lastOffset;
      next = this.#upcoming.at(-1)
    ) {
      this.#open.add(next.producerId)
      this.#upcoming.pop()
    }
    return this.#open.has(producerId)
  }

  /** `records` are those of a control batch; an abort marker ends the producer's aborted transaction. */
  onControl(producerId: bigint, records: Buffer): void {
    if (isAbortMarker(records)) this.#open.delete(producerId)
  }
}

/** A control record's key is a version and a type of 16 bits each; type 0 is an abort. */
function isAbortMarker(records: Buffer): boolean {
  let at = 0
  const skipVarint = () => {
    while ((records[at++] ?? 0) >= 0x80);
  }
  skipVarint() // length
  at++ // attributes
  skipVarint() // timestamp delta
  skipVarint() // offset delta
  skipVarint() // key length
  return at + 4 <= records.length && records.readInt16BE(at + 2) === 0
}
