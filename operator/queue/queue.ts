import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { Heap } from './heap.ts'

const BACKOFF = { firstMs: 100, maxMs: 300_000 }
const MAX_WAIT_MS = 60_000

/** `high`: somebody edited it and waits; of what is due it comes first, and a back-off does not hold it up. */
export type Priority = 'high' | 'low'

interface Entry {
  readonly key: string
  dueMs: number
  priority: Priority
  /** Of two that are due since the same moment the one that came first is first. */
  readonly turn: number
}

/**
 * Keys that wait for their time. A key waits once, for the earliest of the times and with the highest of the priorities it was
 * added with; a key that is being worked on is not given out again before it is done, and nothing added meanwhile is lost.
 */
export class KeyedQueue {
  readonly #clock: Clock
  /** Every key that waits; those of keys in work are in neither heap. */
  readonly #entries = new Map<string, Entry>()
  readonly #later = new Heap<Entry>((a, b) => a.dueMs < b.dueMs)
  readonly #due = new Heap<Entry>(isFirst)
  readonly #working = new Set<string>()
  readonly #failures = new Map<string, { readonly times: number; readonly untilMs: number }>()
  #turn = 0
  #wake = Promise.withResolvers<void>()
  /** When a key was last done, or the first became due after a time in which none was. */
  #movedMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#movedMs = clock.now()
  }

  /** Keys that wait, due or not. */
  get size(): number {
    return this.#entries.size
  }

  add(key: string, afterMs = 0, priority: Priority = 'low'): void {
    const failure = priority === 'high' ? undefined : this.#failures.get(key)
    const dueMs = Math.max(this.#clock.now() + afterMs, failure?.untilMs ?? -Infinity)
    const entry = this.#entries.get(key)
    if (entry !== undefined && entry.dueMs <= dueMs && (priority === 'low' || entry.priority === 'high')) return
    const isWorking = this.#working.has(key)
    if (entry !== undefined && !isWorking) this.#take(entry)
    const added = entry ?? { key, dueMs, priority, turn: ++this.#turn }
    added.dueMs = Math.min(added.dueMs, dueMs)
    if (priority === 'high') added.priority = 'high'
    this.#entries.set(key, added)
    if (isWorking) return
    this.#later.add(added)
    this.#wakeUp()
  }

  /** The due key that nobody works on, by priority and time; the caller must say `succeeded` or `failed` of it. */
  take(): string | undefined {
    this.#promote()
    const entry = this.#due.first
    if (entry === undefined) return undefined
    this.#due.delete(entry)
    this.#entries.delete(entry.key)
    this.#working.add(entry.key)
    return entry.key
  }

  succeeded(key: string, requeueAfterMs: number | undefined): void {
    this.#failures.delete(key)
    this.#done(key)
    if (requeueAfterMs !== undefined) this.add(key, requeueAfterMs)
  }

  /** Comes back after a while that doubles from 100 ms to 5 min; gives that while. */
  failed(key: string): number {
    const times = (this.#failures.get(key)?.times ?? 0) + 1
    const afterMs = backoffMs(times, this.#clock.random(), BACKOFF)
    this.#failures.set(key, { times, untilMs: this.#clock.now() + afterMs })
    this.#holdUp(key)
    this.#done(key)
    this.add(key, afterMs)
    return afterMs
  }

  /** Resolves when a key may be due, when one is done, or when the signal aborts. */
  async wait(signal: AbortSignal, isBusy = false): Promise<void> {
    this.#promote()
    if (this.#due.size > 0 && !isBusy) return
    const nextMs = isBusy ? Infinity : (this.#later.first?.dueMs ?? Infinity)
    const waitMs = Math.min(MAX_WAIT_MS, nextMs - this.#clock.now())
    const woken = new AbortController()
    signal.addEventListener('abort', () => woken.abort(), { once: true, signal: woken.signal })
    if (signal.aborted) return
    await Promise.race([this.#clock.sleep(waitMs, woken.signal), this.#wake.promise])
    woken.abort()
  }

  /** For how long there has been something to do, without a single key that was done; 0 while nothing is to do. */
  stalledMs(): number {
    this.#promote()
    const hasWork = this.#due.size + this.#working.size > 0
    return hasWork ? Math.max(0, this.#clock.now() - this.#movedMs) : 0
  }

  /** What was added while it was worked on, by others than people, waits for the back-off too. */
  #holdUp(key: string): void {
    const entry = this.#entries.get(key)
    if (entry?.priority === 'low') this.#entries.delete(key)
  }

  #done(key: string): void {
    this.#working.delete(key)
    this.#movedMs = this.#clock.now()
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#later.add(entry)
    this.#wakeUp()
  }

  #promote(): void {
    const nowMs = this.#clock.now()
    for (let entry = this.#later.first; entry !== undefined && entry.dueMs <= nowMs; entry = this.#later.first) {
      if (this.#due.size + this.#working.size === 0) this.#movedMs = Math.max(this.#movedMs, entry.dueMs)
      this.#later.delete(entry)
      this.#due.add(entry)
    }
  }

  #take(entry: Entry): void {
    if (!this.#later.delete(entry)) this.#due.delete(entry)
  }

  #wakeUp(): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}

function isFirst(a: Entry, b: Entry): boolean {
  if (a.priority !== b.priority) return a.priority === 'high'
  return a.dueMs === b.dueMs ? a.turn < b.turn : a.dueMs < b.dueMs
}
