import type { Clock } from '../../lib/clock.ts'
import type { Broker, Cluster } from './internals.ts'

const ATTEMPTS = 5
const WAIT_MS = 200
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR */
const MOVES = new Set([14, 15, 16])

/** A group and where to ask for it. */
export interface GroupAddress {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly groupId: string
}

/** Asks a group's coordinator; one that is just being chosen, or has to read its log first, is asked again. */
export async function askCoordinator<Answer>(
  { cluster, clock, groupId }: GroupAddress,
  ask: (broker: Broker) => Promise<Answer>,
  codesOf: (answer: Answer) => readonly number[]
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(await cluster.findGroupCoordinator({ groupId }))
    if (attempt === ATTEMPTS || !codesOf(answer).some(code => MOVES.has(code))) return answer
    await clock.sleep(WAIT_MS)
  }
}
