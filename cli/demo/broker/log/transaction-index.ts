import type { BatchHeader } from './batch.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Of its end marker. */
  readonly lastOffset: number
}

/** Which transactions of one partition are open, and which were aborted. */
export class TransactionIndex {
  #open = new Map<number, number>()
  #aborted: AbortedTransaction[] = []

  /** Takes note of a batch just appended. `commits` says what a control batch does. */
  note(batch: BatchHeader, commits: boolean): void {
    if (!batch.isTransactional) return
    const { producerId } = batch
    const firstOffset = this.#open.get(producerId)
    if (!batch.isControl) {
      if (firstOffset === undefined) this.#open.set(producerId, batch.baseOffset)
      return
    }
    if (firstOffset !== undefined && !commits)
      this.#aborted.push({ producerId, firstOffset, lastOffset: batch.lastOffset })
    this.#open.delete(producerId)
  }

  /** The last stable offset: the first offset of the earliest open transaction, else the end of the log. */
  stableEnd(logEnd: number): number {
    return Math.min(logEnd, ...this.#open.values())
  }

  /** The aborted transactions with records in [from, to). */
  aborted(from: number, to: number): readonly AbortedTransaction[] {
    return this.#aborted.filter(one => one.lastOffset >= from && one.firstOffset < to)
  }

  /** Forgets what lies outside of the log's new bounds. */
  clamp(logStart: number, logEnd: number): void {
    this.#aborted = this.#aborted.filter(one => one.lastOffset >= logStart && one.lastOffset < logEnd)
    for (const [producerId, firstOffset] of this.#open) if (firstOffset >= logEnd) this.#open.delete(producerId)
  }
}
