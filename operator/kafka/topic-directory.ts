import type { Clock } from '../../lib/clock.ts'
import type { Nodes } from './nodes.ts'
import { TOPIC_AUTHORIZATION_FAILED } from './protocol-error.ts'

/** One look at the cluster serves all pipelines that ask within this time. */
const LOOK_AGE_MS = 5000
/** What turns out to be wrong is looked at again, but not more often than this. */
const STALE_AGE_MS = 1000

/** Which topics somebody reads: these, or whatever matches a pattern. */
export interface TopicInterest {
  readonly names: readonly string[]
  readonly hasPattern: boolean
}

/** The topics of a cluster at one moment, less those that are Kafka's own. */
export interface TopicsSeen {
  /** The very same array as before while the topics are the same. */
  readonly names: readonly string[]
  /** Node id of each partition's leader, -1 when it has none, by topic. */
  readonly leaders: ReadonlyMap<string, readonly number[]>
  /** Topics that are named and that we may not describe. */
  readonly refused: ReadonlySet<string>
}

/** The topics that anybody is interested in, looked up for all of them at once. */
export class TopicDirectory {
  readonly #nodes: Pick<Nodes, 'look'>
  readonly #clock: Clock
  readonly #named = new Map<string, number>()
  #patterns = 0
  #last: Look | undefined
  /** Of the last look, when it failed. */
  #failure: { readonly error: unknown } | undefined
  #names: readonly string[] = []
  #isStale = false

  constructor(nodes: Pick<Nodes, 'look'>, clock: Clock) {
    this.#nodes = nodes
    this.#clock = clock
  }

  /** From now on the topics are looked up, until it is called off. */
  follow({ names, hasPattern }: TopicInterest): () => void {
    for (const name of names) this.#named.set(name, (this.#named.get(name) ?? 0) + 1)
    if (hasPattern) this.#patterns++
    return () => {
      if (hasPattern) this.#patterns--
      for (const name of names) {
        const left = (this.#named.get(name) ?? 0) - 1
        if (left > 0) this.#named.set(name, left)
        else this.#named.delete(name)
      }
    }
  }

  /** Not older than five seconds. Rejects when no broker answers, and at once while another one waits to see whether any does. */
  look(interest: TopicInterest): Promise<TopicsSeen> {
    const last = this.#last
    if (last?.isDone === false && this.#failure !== undefined) return Promise.reject(this.#failure.error)
    const ageMs = last === undefined ? Infinity : this.#clock.now() - last.atMs
    const isFresh = last?.isDone === false || ageMs <= (this.#isStale ? STALE_AGE_MS : LOOK_AGE_MS)
    if (last !== undefined && isFresh && covers(last.asked, interest)) return last.seen
    // All that may be asked for soon, so that the next one need not ask again.
    const names = new Set([...this.#named.keys(), ...interest.names])
    const asked = { names, isAll: this.#patterns > 0 || interest.hasPattern }
    const look: Look = { seen: this.#look(asked), atMs: this.#clock.now(), asked, isDone: false }
    this.#last = look
    this.#isStale = false
    void this.#follow(look)
    return look.seen
  }

  /** A leader or a topic turned out to be elsewhere. */
  markStale(): void {
    this.#isStale = true
  }

  async #follow(look: Look): Promise<void> {
    try {
      await look.seen
      this.#failure = undefined
    } catch (error) {
      this.#failure = { error }
      // The next one who asks finds out by itself.
      if (this.#last === look) this.#last = undefined
    }
    look.isDone = true
  }

  async #look({ names, isAll }: Asked): Promise<TopicsSeen> {
    const leaders = new Map<string, readonly number[]>()
    const refused = new Set<string>()
    const take = async (topics: readonly string[]) => {
      for (const { topic, errorCode, isInternal, leaders: own } of (await this.#nodes.look(topics)).topicMetadata) {
        if (errorCode === TOPIC_AUTHORIZATION_FAILED) refused.add(topic)
        else if (errorCode === 0 && !isInternal) leaders.set(topic, own)
      }
    }
    // Without names, all topics that we may see: of one that is missing there, its name has to be asked for to know why.
    if (isAll || names.size === 0) await take([])
    const missing = [...names].filter(name => !leaders.has(name))
    if (missing.length > 0) await take(missing)
    const seen = [...leaders.keys()].toSorted()
    for (const name of seen) names.add(name)
    const isSame = seen.length === this.#names.length && seen.every((name, index) => name === this.#names[index])
    if (!isSame) this.#names = seen
    return { names: this.#names, leaders, refused }
  }
}

interface Look {
  readonly seen: Promise<TopicsSeen>
  readonly atMs: number
  readonly asked: Asked
  isDone: boolean
}

interface Asked {
  /** And, after the look, those that it found. */
  readonly names: Set<string>
  readonly isAll: boolean
}

const covers = (asked: Asked, { names, hasPattern }: TopicInterest) =>
  (asked.isAll || !hasPattern) && names.every(name => asked.names.has(name))
