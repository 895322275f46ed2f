export const UNKNOWN_SERVER_ERROR = -1
export const TOPIC_AUTHORIZATION_FAILED = 29
export const GROUP_ID_NOT_FOUND = 69
/** A group's coordinator is elsewhere, or not ready yet: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR */
export const COORDINATOR_MOVES: ReadonlySet<number> = new Set([14, 15, 16])

const NAMES: Readonly<Record<number, string>> = {
  14: 'COORDINATOR_LOAD_IN_PROGRESS',
  15: 'COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  30: 'GROUP_AUTHORIZATION_FAILED'
}

/** An error code of Kafka's protocol as `sourceTrouble` understands it. */
export function protocolError(code: number): Error {
  return Object.assign(new Error(`error code ${code}`), { type: NAMES[code] ?? `ERROR_${code}` })
}
