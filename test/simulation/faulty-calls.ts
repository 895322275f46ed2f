import { RetryableError } from '../../lib/errors.ts'
import type { ProcessClock, Scheduler } from './scheduler.ts'

export interface FaultPlan {
  /** Likelihood that a call fails, before or after it took effect. */
  rate: number
  count: number
}

/**
 * One process's calls to a server that fails: a call may fail before it took effect, after it (the lost response), or take
 * effect only a while after its failure was told.
 */
export class FaultyCalls {
  readonly #clock: ProcessClock
  readonly #scheduler: Scheduler
  readonly #faults: FaultPlan

  constructor(clock: ProcessClock, scheduler: Scheduler, faults: FaultPlan) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#faults = faults
  }

  async call<Result>(effect: () => Promise<Result>): Promise<Result> {
    await this.#clock.sleep(this.#scheduler.between(1, 40))
    if (!this.#scheduler.happens(this.#faults.rate)) {
      const result = await effect()
      await this.#clock.gate()
      return result
    }
    this.#faults.count++
    const kind = this.#scheduler.between(0, 2)
    if (kind === 1) await effect()
    // A request in flight when the client gave up: nothing stops it, not even the end of the process.
    if (kind === 2) void this.#scheduler.sleep(this.#scheduler.between(1, 2000)).then(effect)
    await this.#clock.gate()
    throw new RetryableError('Unavailable', 'simulated')
  }
}
