import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs: number
  readonly #chance: number
  readonly #sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>()

  /** `chance` is what `random()` always gives. */
  constructor(nowMs: number, chance = 0.5) {
    this.#nowMs = nowMs
    this.#chance = chance
  }

  now(): number {
    return this.#nowMs
  }

  random(): number {
    return this.#chance
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const sleeper = { dueMs: this.#nowMs + ms, wake: resolve }
    this.#sleepers.add(sleeper)
    signal?.addEventListener('abort', () => resolve(), { once: true })
    return promise.finally(() => this.#sleepers.delete(sleeper))
  }

  /** How long until the next sleeper wakes; Infinity when nobody sleeps. */
  get nextMs(): number {
    return Math.min(Infinity, ...[...this.#sleepers].map(({ dueMs }) => dueMs - this.#nowMs))
  }

  /** Moves on step by step, and lets those who wake do what they do before the next step. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await settle()
    for (;;) {
      const next = [...this.#sleepers].toSorted((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined || next.dueMs > untilMs) break
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      this.#sleepers.delete(next)
      next.wake()
      await settle()
    }
    this.#nowMs = untilMs
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate()
}
