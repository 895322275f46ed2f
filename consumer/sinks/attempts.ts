import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'

/** Others were faster: look and try again soon. */
const CONTENTION_BACKOFF = { firstMs: 5, maxMs: 1_000 }
export const TROUBLE_BACKOFF = { firstMs: 100, maxMs: 5_000 }
/** Trouble that lasts longer is the caller's: it recovers, and on SIGTERM it must end within the grace period. */
const MAX_TROUBLE_MS = 15_000
export const DEFAULT_COMMIT_ATTEMPTS = 40
/** Not trouble of a catalog or store: the caller recovers. That nothing of the change is in was seen just before. */
const PASSED_ON = new Set(['SchemaMoved', 'CommitRolledBack'])

export interface AttemptsOptions {
  /** The table's name, and what it is called in messages (`Delta table a.b`). */
  readonly name: string
  readonly title: string
  readonly clock: Clock
  readonly log: Log
  readonly commitAttempts: number
}

/**
 * Tries a change of a table (`what`) until `attempt`, called with 1, 2 and so on, gives something. RetryableError
 * `CommitContention` when others keep being faster, or with the code of the trouble when that lasts: the outcome is unknown then.
 */
export async function untilDone<T>(
  { name, title, clock, log, commitAttempts }: AttemptsOptions,
  what: string,
  attempt: (count: number) => Promise<T | undefined>
): Promise<T> {
  let trouble: RetryableError | undefined
  const giveUpMs = clock.now() + MAX_TROUBLE_MS
  for (let count = 1; count <= commitAttempts; count++) {
    if (trouble !== undefined && clock.now() > giveUpMs) break
    if (count > 1) await backOff(clock, count, trouble === undefined ? CONTENTION_BACKOFF : TROUBLE_BACKOFF)
    try {
      const result = await attempt(count)
      if (result !== undefined) return result
    } catch (error) {
      if (!(error instanceof RetryableError) || PASSED_ON.has(error.code)) throw error
      trouble = error
      log.warn('a step of a commit failed; looking before trying again', { table: name, attempt: count }, error)
    }
  }
  if (trouble === undefined)
    throw new RetryableError('CommitContention', `other writers of ${title} were always faster`)
  throw new RetryableError(trouble.code, `the outcome of ${what} to ${title} is unknown`, { cause: trouble })
}

/** Waits before the attempt of that number, from 2. */
export async function backOff(
  clock: Clock,
  attempt: number,
  limits: { readonly firstMs: number; readonly maxMs: number }
): Promise<void> {
  await clock.sleep(backoffMs(attempt - 1, clock.random(), limits))
}

/** For a step whose outcome the next look tells. */
export function rethrowUnlessRetryable(error: unknown): undefined {
  if (!(error instanceof RetryableError)) throw error
}
