import type { Clock } from '../../lib/clock.ts'

/** Lets one loop sleep until another has something for it; a wake before the wait is not lost. */
export class Waker {
  readonly #clock: Clock
  #isAwake = false
  #sleeper: AbortController | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wake(): void {
    this.#isAwake = true
    this.#sleeper?.abort()
  }

  /** Resolves after `ms`, or as soon as someone wakes it. */
  async wait(ms: number): Promise<void> {
    if (!this.#isAwake && ms > 0) {
      const sleeper = new AbortController()
      this.#sleeper = sleeper
      await this.#clock.sleep(ms, sleeper.signal)
      this.#sleeper = undefined
    }
    this.#isAwake = false
  }
}
