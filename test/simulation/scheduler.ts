import type { Clock } from '../../lib/clock.ts'

/** Time and chance from one seed: who waits longest is woken last, ties are broken by chance. */
export class Scheduler {
  now = 1_700_000_000_000
  readonly #waiting: { atMs: number; wake: () => void }[] = []
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** mulberry32: in [0, 1). */
  readonly random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1))
  }

  /** Whether something of this likelihood happens. */
  happens(likelihood: number): boolean {
    return this.random() < likelihood
  }

  sleep(ms: number): Promise<void> {
    return new Promise(wake => {
      this.#waiting.push({ atMs: this.now + Math.max(0, ms), wake })
    })
  }

  /** Runs until `isDone`. Throws when nothing can happen any more, or after `maxSteps` wake-ups. */
  async run(isDone: () => boolean, maxSteps: number): Promise<void> {
    for (let step = 0; step < maxSteps; step++) {
      // Everything that can go on without time passing goes on first.
      await new Promise<void>(resume => {
        setImmediate(resume)
      })
      if (isDone()) return
      if (this.#waiting.length === 0) throw new Error('everything waits for ever')
      const soonest = this.#waiting.reduce((least, { atMs }) => Math.min(least, atMs), Infinity)
      const ready = this.#waiting.flatMap(({ atMs }, index) => (atMs === soonest ? [index] : []))
      const chosen = this.#waiting.splice(ready[Math.floor(this.random() * ready.length)] ?? 0, 1)[0]
      this.now = soonest
      chosen?.wake()
    }
    throw new Error(`not finished after ${maxSteps} steps`)
  }
}

/** One process's view of time: killed, it never wakes again; stopped, it wakes when it is continued. */
export class ProcessClock implements Clock {
  readonly #scheduler: Scheduler
  #isKilled = false
  #stoppedUntilMs = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  now(): number {
    return this.#scheduler.now
  }

  random(): number {
    return this.#scheduler.random()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // An abort is noticed in steps: exact enough, and the order stays the scheduler's.
    const untilMs = this.now() + ms
    do {
      await this.#scheduler.sleep(Math.min(signal === undefined ? ms : 100, Math.max(0, untilMs - this.now())))
      await this.gate()
    } while (this.now() < untilMs && !signal?.aborted)
  }

  /** Where a killed process ends and a stopped one waits. */
  async gate(): Promise<void> {
    if (this.#isKilled) await new Promise<never>(() => {})
    while (this.#stoppedUntilMs > this.now()) await this.#scheduler.sleep(this.#stoppedUntilMs - this.now())
    if (this.#isKilled) await new Promise<never>(() => {})
  }

  kill(): void {
    this.#isKilled = true
  }

  /** SIGSTOP, and SIGCONT `ms` later. */
  stop(ms: number): void {
    this.#stoppedUntilMs = this.now() + ms
  }
}
