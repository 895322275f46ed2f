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
