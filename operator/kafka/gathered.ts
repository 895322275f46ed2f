import type { Clock } from '../../lib/clock.ts'

/** One of those who ask, to be answered by one of the two. */
export interface Ask<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

export interface GatheredOptions<Item, Answer> {
  readonly clock: Clock
  /** How long the first who asks waits for others. */
  readonly gatherMs: number
  /** Answers each of them, in its own time; those left over when it rejects are rejected. */
  readonly answer: (asks: readonly Ask<Item, Answer>[]) => Promise<void>
}

/** Lets those who ask at nearly the same time be answered together. */
export class Gathered<Item, Answer> {
  readonly #options: GatheredOptions<Item, Answer>
  #waiting: Ask<Item, Answer>[] = []

  constructor(options: GatheredOptions<Item, Answer>) {
    this.#options = options
  }

  ask(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (this.#waiting.length === 1) void this.#turn()
    })
  }

  async #turn(): Promise<void> {
    const { clock, gatherMs, answer } = this.#options
    await clock.sleep(gatherMs)
    const asks = this.#waiting
    this.#waiting = []
    const rejectAll = (error: unknown) => {
      for (const { reject } of asks) reject(error)
    }
    await answer(asks).catch(rejectAll)
  }
}
