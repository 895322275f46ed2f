import type { Clock } from '../../lib/clock.ts'
import type { KeyedQueue } from './queue.ts'

/** What became of one piece of work. */
export interface Outcome {
  readonly requeueAfterMs: number | undefined
}

export interface WorkOptions {
  readonly queue: KeyedQueue
  readonly clock: Clock
  readonly workers: number
  /** What takes longer is told to stop, by its signal. */
  readonly deadlineMs: number
  /** Begin nothing more. */
  readonly signal: AbortSignal
  /** Stop what was begun, too. */
  readonly cut: AbortSignal
  readonly perform: (key: string, signal: AbortSignal) => Promise<Outcome>
  /** It has not ended in time; its end is told as well. */
  readonly onLate: (key: string) => void
  /** Whatever `perform` threw; the key comes back after `retryAfterMs`. */
  readonly onFailure: (key: string, error: unknown, retryAfterMs: number) => void
}

/** Works on due keys, at most `workers` at a time, until the signal aborts and what was begun is done. */
export async function work(options: WorkOptions): Promise<void> {
  const { queue, workers, signal } = options
  const running = new Set<Promise<void>>()
  while (!signal.aborted) {
    const isBusy = running.size >= workers
    const key = isBusy ? undefined : queue.take()
    if (key === undefined) {
      await queue.wait(signal, isBusy)
      continue
    }
    const task: Promise<void> = one(key, options).finally(() => running.delete(task))
    running.add(task)
  }
  await Promise.all(running)
}

/** Never rejects. A key that does not heed its signal stays in work: it is never given to a second worker. */
async function one(key: string, options: WorkOptions): Promise<void> {
  const { queue, clock, deadlineMs, cut, perform, onLate, onFailure } = options
  const stop = new AbortController()
  const ended = new AbortController()
  cut.addEventListener('abort', () => stop.abort(), { once: true, signal: ended.signal })
  if (cut.aborted) stop.abort()
  void clock.sleep(deadlineMs, ended.signal).then(() => {
    if (ended.signal.aborted) return
    onLate(key)
    stop.abort()
  })
  try {
    const { requeueAfterMs } = await perform(key, stop.signal)
    queue.succeeded(key, requeueAfterMs)
  } catch (error) {
    onFailure(key, error, queue.failed(key))
  } finally {
    ended.abort()
  }
}
