import { KubeError } from './kube.ts'

const GONE = 410
const NOT_FOUND = 404
const THROTTLED = 429
/** So many refusals in a row, of whatever kind, and the server will not resume this watch. With the back-off about 8 minutes. */
const MAX_REFUSALS = 20
/** A request that is wrong stays wrong. */
const MAX_BAD_REQUESTS = 3

/**
 * Whether a watch that broke off must begin with a new list, for which the server reads everything; otherwise it is resumed where
 * it ended. `refusals` counts those in a row, this one included.
 */
export function mustRelist(error: unknown, refusals: number): boolean {
  if (!(error instanceof KubeError)) return false
  const { status, message } = error
  // 404: the definition of the kind is gone, and its objects with it.
  if (status === GONE || status === NOT_FOUND) return true
  // The server is behind us for good when its store was restored from a backup.
  if (/too large resource version/i.test(message)) return true
  if (status === 0 || status === THROTTLED) return false
  return refusals >= (status < 500 ? MAX_BAD_REQUESTS : MAX_REFUSALS)
}
