import type { Clock } from '../../lib/clock.ts'
import type { RetryableError } from '../../lib/errors.ts'

/** Trouble that no broker ends within this is told; what is shorter the loops get over by themselves. */
const TOLD_AFTER_MS = 10_000

/** Remembers how long the cluster has not answered at all. */
export class Outage {
  readonly #clock: Clock
  #since: { readonly atMs: number; readonly error: RetryableError } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begins(error: RetryableError): void {
    this.#since = { error, atMs: this.#since?.atMs ?? this.#clock.now() }
  }

  ends(): void {
    this.#since = undefined
  }

  /** The trouble, once it has lasted. */
  get trouble(): RetryableError | undefined {
    const hasLasted = this.#since !== undefined && this.#clock.now() - this.#since.atMs >= TOLD_AFTER_MS
    return hasLasted ? this.#since?.error : undefined
  }
}
