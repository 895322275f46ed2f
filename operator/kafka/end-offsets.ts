import type { Clock } from '../../lib/clock.ts'
import { Gathered, type Ask } from './gathered.ts'
import { send } from './internals.ts'
import type { Nodes } from './nodes.ts'

const READ_COMMITTED = 1
/** About 100 KiB of a request, and as much of its answer. */
const PARTITIONS_AT_MOST = 4000

/** A partition and where its leader is. */
export interface Placed {
  readonly topic: string
  readonly partition: number
  readonly leader: number
}

/** An offset that is asked for; in ms since the epoch, or one of the two below. */
export interface WantedOffset extends Placed {
  readonly timestamp: number
}

/** First offset that a reader of committed records cannot have yet. */
export const LAST_STABLE = -1
export const LOG_START = -2

/** Error code 0, and the offset; -1 when there is none from that time on. */
export interface ListedOffset {
  readonly errorCode: number
  readonly offset: number
}

/** In the order of what was asked for; a partition that its leader did not speak of is undefined. */
export type ListedOffsets = readonly (ListedOffset | undefined)[]

/** Asks leaders for offsets, of all who ask at nearly the same time by one request. */
export class EndOffsets {
  readonly #nodes: Pick<Nodes, 'ask'>
  readonly #clock: Clock
  readonly #gatherMs: number
  readonly #leaders = new Map<number, Gathered<readonly WantedOffset[], ListedOffsets>>()

  constructor(nodes: Pick<Nodes, 'ask'>, clock: Clock, gatherMs: number) {
    this.#nodes = nodes
    this.#clock = clock
    this.#gatherMs = gatherMs
  }

  /** Those of one leader. Rejects when it does not answer. */
  of(leader: number, wanted: readonly WantedOffset[]): Promise<ListedOffsets> {
    const clock = this.#clock
    const answer = (asks: readonly Ask<readonly WantedOffset[], ListedOffsets>[]) => this.#answer(leader, asks)
    const gathered = this.#leaders.get(leader) ?? new Gathered({ clock, gatherMs: this.#gatherMs, answer })
    this.#leaders.set(leader, gathered)
    return gathered.ask(wanted)
  }

  async #answer(leader: number, asks: readonly Ask<readonly WantedOffset[], ListedOffsets>[]): Promise<void> {
    const requests = new Requests()
    const places = asks.map(({ item }) => item.map(wanted => requests.add(wanted)))
    const answers = requests.all.map(request => this.#nodes.ask(leader, broker => list(broker, request)))
    await Promise.all(
      asks.map(async ({ item, resolve, reject }, index) => {
        const own = places[index] ?? []
        try {
          const told = new Map(
            await Promise.all([...new Set(own)].map(async request => [request, await answers[request]] as const))
          )
          resolve(item.map(({ topic, partition }, at) => told.get(own[at] ?? -1)?.get(`${topic}/${partition}`)))
        } catch (error) {
          reject(error)
        }
      })
    )
  }
}

type Request = Map<string, Map<number, number>>

/** A request may name a partition once only, with one timestamp. */
class Requests {
  readonly all: Request[] = []
  readonly #sizes: number[] = []

  /** Gives the index of the request that it is part of now. */
  add({ topic, partition, timestamp }: WantedOffset): number {
    for (const [index, request] of this.all.entries()) {
      const held = request.get(topic)?.get(partition)
      if (held === timestamp) return index
      if (held !== undefined || (this.#sizes[index] ?? 0) >= PARTITIONS_AT_MOST) continue
      return this.#put(index, request, { topic, partition, timestamp })
    }
    const request: Request = new Map()
    this.all.push(request)
    return this.#put(this.all.length - 1, request, { topic, partition, timestamp })
  }

  #put(index: number, request: Request, { topic, partition, timestamp }: Omit<WantedOffset, 'leader'>): number {
    const partitions = request.get(topic) ?? new Map<number, number>()
    request.set(topic, partitions.set(partition, timestamp))
    this.#sizes[index] = (this.#sizes[index] ?? 0) + 1
    return index
  }
}

interface Answer {
  readonly responses: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[]
  }[]
}

async function list(broker: Parameters<typeof send>[0], request: Request): Promise<ReadonlyMap<string, ListedOffset>> {
  const topics = [...request].map(([topic, partitions]) => ({
    topic,
    partitions: [...partitions].map(([partition, timestamp]) => ({ partition, timestamp: String(timestamp) }))
  }))
  const { responses } = (await send(broker, 'ListOffsets', { isolationLevel: READ_COMMITTED, topics })) as Answer
  return new Map(
    responses.flatMap(({ topic, partitions }) =>
      partitions.map(
        ({ partition, errorCode, offset }) => [`${topic}/${partition}`, { errorCode, offset: Number(offset) }] as const
      )
    )
  )
}
