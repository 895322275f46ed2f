import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'

const BACKOFF = { firstMs: 100, maxMs: 300_000 }

/**
 * Keys that wait for their time. A key waits once, for the earliest of the times it was added with; a key that is being
 * worked on is not given out again before it is done, and nothing added meanwhile is lost.
 */
export class KeyedQueue {
  readonly #clock: Clock
  readonly #dueMs = new Map<string, number>()
  readonly #working = new Set<string>()
  readonly #failures = new Map<string, number>()
  #wake = Promise.withResolvers<void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Keys that wait, due or not. */
  get size(): number {
    return this.#dueMs.size
  }

  add(key: string, afterMs = 0): void {
    const dueMs = this.#clock.now() + afterMs
    if (dueMs >= (this.#dueMs.get(key) ?? Infinity)) return
    this.#dueMs.set(key, dueMs)
    this.#wake.resolve()
  }

  /** The key that is due the longest and nobody works on; the caller must say `succeeded` or `failed` of it. */
  take(): string | undefined {
    const nowMs = this.#clock.now()
    let first: string | undefined
    let firstMs = nowMs
    for (const [key, dueMs] of this.#dueMs) {
      if (this.#working.has(key) || dueMs > nowMs) continue
      if (first === undefined || dueMs < firstMs) [first, firstMs] = [key, dueMs]
    }
    if (first === undefined) return undefined
    this.#dueMs.delete(first)
    this.#working.add(first)
    return first
  }

  succeeded(key: string, requeueAfterMs: number | undefined): void {
    this.#failures.delete(key)
    this.#done(key, requeueAfterMs)
  }

  /** Comes back after a while that doubles from 100 ms to 5 min; gives that while. */
  failed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const afterMs = backoffMs(failures, this.#clock.random(), BACKOFF)
    this.#done(key, afterMs)
    return afterMs
  }

  /** Resolves when a key may be due, or when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    let nextMs = Infinity
    for (const [key, dueMs] of this.#dueMs) if (!this.#working.has(key)) nextMs = Math.min(nextMs, dueMs)
    const waitMs = Math.min(60_000, nextMs - this.#clock.now())
    if (waitMs <= 0) return
    this.#wake = Promise.withResolvers()
    const stop = new AbortController()
    await Promise.race([this.#clock.sleep(waitMs, AbortSignal.any([signal, stop.signal])), this.#wake.promise])
    stop.abort()
  }

  #done(key: string, afterMs: number | undefined): void {
    this.#working.delete(key)
    if (afterMs !== undefined) this.add(key, afterMs)
    this.#wake.resolve()
  }
}

/** What became of one piece of work. */
export interface Outcome {
  readonly requeueAfterMs: number | undefined
}

/** Works on due keys, at most `workers` at a time, until the signal aborts and what was begun is done. */
export async function work(
  queue: KeyedQueue,
  workers: number,
  signal: AbortSignal,
  perform: (key: string) => Promise<Outcome>,
  onFailure: (key: string, error: unknown, retryAfterMs: number) => void
): Promise<void> {
  const running = new Set<Promise<void>>()
  const one = async (key: string) => {
    try {
      const { requeueAfterMs } = await perform(key)
      queue.succeeded(key, requeueAfterMs)
    } catch (error) {
      onFailure(key, error, queue.failed(key))
    }
  }
  while (!signal.aborted) {
    const key = running.size < workers ? queue.take() : undefined
    if (key === undefined) {
      await (running.size < workers ? queue.wait(signal) : Promise.race(running))
      continue
    }
    const task: Promise<void> = one(key).finally(() => running.delete(task))
    running.add(task)
  }
  await Promise.all(running)
}
