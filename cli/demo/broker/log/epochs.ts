export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/** The leader epochs of a partition and where each begins (KIP-101): what tells a client that history has changed. */
export class Epochs {
  #starts: EpochStart[]

  constructor(starts: readonly EpochStart[] = [{ epoch: 0, startOffset: 0 }]) {
    this.#starts = [...starts]
  }

  get current(): number {
    return this.#starts.at(-1)?.epoch ?? 0
  }

  all(): readonly EpochStart[] {
    return this.#starts
  }

  /** A new leader, whose log ends at `logEnd`: what earlier epochs had beyond is gone. */
  bump(logEnd: number): void {
    const epoch = this.current + 1
    this.#starts = [...this.#starts.filter(one => one.startOffset < logEnd), { epoch, startOffset: logEnd }]
  }

  /** The last epoch not above `epoch`, and the offset where it ended; undefined when none is known. */
  endOf(epoch: number, logEnd: number): { epoch: number; endOffset: number } | undefined {
    if (epoch < 0 || epoch > this.current) return undefined
    const index = this.#starts.findLastIndex(one => one.epoch <= epoch)
    const found = this.#starts[index]
    if (found === undefined) return undefined
    return { epoch: found.epoch, endOffset: this.#starts[index + 1]?.startOffset ?? logEnd }
  }

  /** The epoch of the record at `offset`. */
  at(offset: number): number {
    return this.#starts.findLast(one => one.startOffset <= offset)?.epoch ?? this.current
  }
}
