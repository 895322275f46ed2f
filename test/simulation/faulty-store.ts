import { RetryableError } from '../../lib/errors.ts'
import type { ObjectStore, StoredObject } from '../../consumer/store/object-store.ts'
import type { ProcessClock, Scheduler } from './scheduler.ts'

export interface FaultPlan {
  /** Likelihood that a call fails, before or after it took effect. */
  rate: number
  count: number
}

/**
 * One process's view of a store that fails: a call may fail before it took effect, after it (the lost response), or take
 * effect only a while after its failure was told.
 */
export class FaultyStore implements ObjectStore {
  readonly location: string
  readonly #store: ObjectStore
  readonly #clock: ProcessClock
  readonly #scheduler: Scheduler
  readonly #faults: FaultPlan

  constructor(store: ObjectStore, clock: ProcessClock, scheduler: Scheduler, faults: FaultPlan) {
    this.location = store.location
    this.#store = store
    this.#clock = clock
    this.#scheduler = scheduler
    this.#faults = faults
  }

  get(path: string): Promise<Buffer | undefined> {
    return this.#call(() => this.#store.get(path))
  }

  getRange(path: string, start: number, end: number): Promise<Buffer | undefined> {
    return this.#call(() => this.#store.getRange(path, start, end))
  }

  size(path: string): Promise<number | undefined> {
    return this.#call(() => this.#store.size(path))
  }

  put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    return this.#call(() => this.#store.put(path, chunks))
  }

  putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    return this.#call(() => this.#store.putIfAbsent(path, chunks))
  }

  async *list(prefix: string, startAfter?: string): AsyncIterable<StoredObject> {
    const found = await this.#call(() => Array.fromAsync(this.#store.list(prefix, startAfter)))
    yield* found
  }

  delete(path: string): Promise<void> {
    return this.#call(() => this.#store.delete(path))
  }

  async close(): Promise<void> {}

  async #call<Result>(effect: () => Promise<Result>): Promise<Result> {
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
    throw new RetryableError('StoreUnavailable', 'simulated')
  }
}
