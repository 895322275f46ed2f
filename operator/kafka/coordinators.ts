import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Ask } from './gathered.ts'
import { send, sendNewer, understands, type Broker } from './internals.ts'
import { FIND_COORDINATORS, type FoundCoordinator } from './newer-requests.ts'
import type { Nodes } from './nodes.ts'
import { COORDINATOR_MOVES, protocolError, UNKNOWN_SERVER_ERROR } from './protocol-error.ts'

const ATTEMPTS = 5
const WAIT_MS = 200
const FIND_AT_MOST = 1000

/** What a coordinator says of one group: its answer, or an error code. */
export type Told<Answer> = { readonly answer: Answer } | { readonly errorCode: number }

/** Asks one broker about several groups. */
export type Perform<Item, Answer> = (
  broker: Broker,
  items: readonly Item[]
) => Promise<ReadonlyMap<string, Told<Answer>>>

type AskOfGroup<Item, Answer> = Ask<Item & { readonly groupId: string }, Answer>

interface Failed<Item, Answer> {
  readonly ask: AskOfGroup<Item, Answer>
  readonly error: unknown
}

/** Which broker has which group, as far as known, and a way to ask them. */
export class Coordinators {
  readonly #nodes: Pick<Nodes, 'ask' | 'askAny'>
  readonly #clock: Clock
  readonly #known = new Map<string, number>()

  constructor(nodes: Pick<Nodes, 'ask' | 'askAny'>, clock: Clock) {
    this.#nodes = nodes
    this.#clock = clock
  }

  /** One group's coordinator, by a request of its own. */
  ask<Answer>(groupId: string, perform: (broker: Broker) => Promise<Told<Answer>>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const one = { item: { groupId }, resolve, reject }
      void this.answer([one], 1, async broker => new Map([[groupId, await perform(broker)]]))
    })
  }

  /**
   * Answers all of them, `atMost` groups to a request. Each is answered as soon as its own coordinator has spoken; a group
   * that is just moving, or whose coordinator is silent, is looked for again. Never rejects.
   */
  async answer<Item, Answer>(
    asks: readonly AskOfGroup<Item, Answer>[],
    atMost: number,
    perform: Perform<Item, Answer>,
    attempt = 1
  ): Promise<void> {
    const retry = async (failed: readonly Failed<Item, Answer>[]): Promise<void> => {
      if (failed.length === 0) return
      if (attempt === ATTEMPTS) {
        for (const { ask, error } of failed) ask.reject(error)
        return
      }
      for (const { ask } of failed) this.#known.delete(ask.item.groupId)
      await this.#clock.sleep(WAIT_MS)
      const again = failed.map(({ ask }) => ask)
      await this.answer(again, atMost, perform, attempt + 1)
    }
    const lost = await this.#find(asks)
    const placed = Map.groupBy(asks, ({ item }) => this.#known.get(item.groupId) ?? NOWHERE)
    placed.delete(NOWHERE)
    const requests = [...placed].flatMap(([nodeId, own]) => inRequests(own, atMost).map(part => ({ nodeId, part })))
    await Promise.all([
      retry(lost),
      ...requests.map(async ({ nodeId, part }) => retry(await this.#askOne(nodeId, part, perform)))
    ])
  }

  /** Gives those that have to be asked again. */
  async #askOne<Item, Answer>(
    nodeId: number,
    asks: readonly AskOfGroup<Item, Answer>[],
    perform: Perform<Item, Answer>
  ): Promise<readonly Failed<Item, Answer>[]> {
    const items = asks.map(({ item }) => item)
    let told: ReadonlyMap<string, Told<Answer>>
    try {
      told = await this.#nodes.ask(nodeId, broker => perform(broker, items))
    } catch (error) {
      return asks.map(ask => ({ ask, error }))
    }
    return asks.flatMap(ask => {
      const one = told.get(ask.item.groupId) ?? { errorCode: UNKNOWN_SERVER_ERROR }
      if ('answer' in one) ask.resolve(one.answer)
      else if (COORDINATOR_MOVES.has(one.errorCode)) return [{ ask, error: protocolError(one.errorCode) }]
      else ask.reject(protocolError(one.errorCode))
      return []
    })
  }

  /** Gives those whose coordinator could not be found, less those who are refused for good. */
  async #find<Item, Answer>(asks: readonly AskOfGroup<Item, Answer>[]): Promise<readonly Failed<Item, Answer>[]> {
    const unknown = new Set(asks.map(({ item }) => item.groupId).filter(groupId => !this.#known.has(groupId)))
    if (unknown.size === 0) return []
    const failures = new Map<string, unknown>()
    try {
      for (let from = 0; from < unknown.size; from += FIND_AT_MOST) {
        const groupIds = [...unknown].slice(from, from + FIND_AT_MOST)
        for (const { groupId, nodeId, errorCode } of await this.#nodes.askAny(broker => find(broker, groupIds))) {
          if (errorCode === 0) this.#known.set(groupId, nodeId)
          else failures.set(groupId, protocolError(errorCode))
        }
      }
    } catch (error) {
      for (const groupId of unknown) failures.set(groupId, error)
    }
    const silent = new RetryableError('SourceTrouble', 'the brokers do not say who coordinates the group')
    return asks
      .filter(({ item }) => !this.#known.has(item.groupId))
      .map(ask => ({ ask, error: failures.get(ask.item.groupId) ?? silent }))
  }
}

const NOWHERE = -1

/** Several groups at once where the broker can (KIP-699). */
async function find(broker: Broker, groupIds: readonly string[]): Promise<readonly FoundCoordinator[]> {
  if (understands(broker, FIND_COORDINATORS)) return await sendNewer(broker, FIND_COORDINATORS, groupIds)
  return await Promise.all(
    groupIds.map(async groupId => {
      const body = { coordinatorKey: groupId, coordinatorType: 0 }
      const { errorCode, coordinator } = (await send(broker, 'GroupCoordinator', body)) as OldAnswer
      return { groupId, nodeId: coordinator.nodeId, errorCode }
    })
  )
}

interface OldAnswer {
  readonly errorCode: number
  readonly coordinator: { readonly nodeId: number }
}

/** No request names a group twice. */
function inRequests<Item, Answer>(
  asks: readonly AskOfGroup<Item, Answer>[],
  atMost: number
): readonly (readonly AskOfGroup<Item, Answer>[])[] {
  const requests: Map<string, AskOfGroup<Item, Answer>>[] = []
  for (const ask of asks) {
    const { groupId } = ask.item
    const free = requests.find(request => request.size < atMost && !request.has(groupId))
    if (free === undefined) requests.push(new Map([[groupId, ask]]))
    else free.set(groupId, ask)
  }
  return requests.map(request => [...request.values()])
}
