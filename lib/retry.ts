import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { RetryableError } from './errors.ts'

/**
 * Repeats `work` while it fails with trouble that may pass, waiting longer each time. Undefined when `stopping` aborted
 * before it succeeded; anything else that is thrown passes through.
 */
export async function retrying<T>(
  work: () => Promise<T>,
  clock: Clock,
  stopping: AbortSignal,
  onTrouble: (error: RetryableError, waitMs: number) => void
): Promise<T | undefined> {
  for (let attempt = 1; !stopping.aborted; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      const waitMs = backoffMs(attempt, clock.random())
      onTrouble(error, waitMs)
      await clock.sleep(waitMs, stopping)
    }
  }
  return undefined
}
