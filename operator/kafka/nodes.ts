import type { Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Broker, Cluster, Metadata } from './internals.ts'

const LOOK_ATTEMPTS = 3
/** A broker that hangs is asked no longer than this for what another one knows as well. */
const LOOK_TIMEOUT_MS = 4000
/** A broker that did not answer is tried again, by one request, after this time; the others fail at once. */
const REST_MS = 5000

/** The brokers of a cluster, by their ids. */
export class Nodes {
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #resting = new Map<number, { untilMs: number; readonly error: unknown }>()

  constructor(cluster: Cluster, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
  }

  /** Of these topics, or of all when there are none; whichever broker answers. */
  async look(topics: readonly string[]): Promise<Metadata> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#inTime(this.#look(topics))
      } catch (error) {
        if (attempt === LOOK_ATTEMPTS || !isSilence(error)) throw error
      }
    }
  }

  /** Asks one broker. Throws at once while it is known not to answer. */
  async ask<Answer>(nodeId: number, ask: (broker: Broker) => Promise<Answer>): Promise<Answer> {
    const nowMs = this.#clock.now()
    const resting = this.#resting.get(nodeId)
    if (resting !== undefined) {
      if (nowMs < resting.untilMs) throw resting.error
      resting.untilMs = nowMs + REST_MS
    }
    try {
      const answer = await this.#ask(nodeId, ask)
      this.#resting.delete(nodeId)
      return answer
    } catch (error) {
      if (isSilence(error)) this.#resting.set(nodeId, { untilMs: this.#clock.now() + REST_MS, error })
      throw error
    }
  }

  /** Asks brokers one after another until one answers. */
  async askAny<Answer>(ask: (broker: Broker) => Promise<Answer>): Promise<Answer> {
    const { brokers } = this.#cluster.brokerPool
    const nodeIds = Object.keys(brokers).map(Number)
    const connected = (nodeId: number) => Number(brokers[nodeId]?.isConnected() === true)
    let failure: unknown = new RetryableError('SourceUnreachable', 'the cluster has named no broker')
    for (const nodeId of nodeIds.toSorted((a, b) => connected(b) - connected(a))) {
      try {
        return await this.ask(nodeId, ask)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect().catch(() => {})
  }

  async #ask<Answer>(nodeId: number, ask: (broker: Broker) => Promise<Answer>): Promise<Answer> {
    const { brokerPool } = this.#cluster
    try {
      return await ask(await brokerPool.findBroker({ nodeId }))
    } catch (error) {
      // A connection that the broker has closed, for being idle or for a restart: all that is asked here may be asked twice.
      if (!(error instanceof Error && error.name === 'KafkaJSConnectionClosedError')) throw error
      return await ask(await brokerPool.findBroker({ nodeId }))
    }
  }

  async #look(topics: readonly string[]): Promise<Metadata> {
    await this.#cluster.connect()
    await this.#cluster.brokerPool.refreshMetadata(topics)
    const { metadata } = this.#cluster.brokerPool
    if (metadata === null) throw new RetryableError('SourceUnreachable', 'the brokers were lost while they were asked')
    return metadata
  }

  async #inTime<T>(promise: Promise<T>): Promise<T> {
    const done = new AbortController()
    const late = async (): Promise<never> => {
      await this.#clock.sleep(LOOK_TIMEOUT_MS, done.signal)
      throw new RetryableError('SourceUnreachable', `no broker answered within ${LOOK_TIMEOUT_MS / 1000} s`)
    }
    try {
      return await Promise.race([promise, late()])
    } finally {
      done.abort()
    }
  }
}

/** No answer at all, unlike an answer that we do not like, or a broker that the cluster no longer names. */
export function isSilence(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (SILENCE.has(cause.name) || (cause instanceof RetryableError && cause.code === 'SourceUnreachable')) return true
  }
  return false
}

const SILENCE = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout'
])
