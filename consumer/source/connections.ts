import { type API, Connection, ResponseError, apiVersionsV1 } from '@platformatic/kafka'
import { FatalError, RetryableError } from '../../lib/errors.ts'
import type { Security } from './security.ts'

/**
 * A broker answers the requests of one connection in turn, so what may wait long has connections of its own: a fetch
 * waits for data, a join for the whole group, and a heartbeat or a report must wait for neither.
 */
export type Purpose = 'fetch' | 'group' | 'control'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

const CONNECT_TIMEOUT_MS = 10_000
const MAX_IN_FLIGHT = 5

/** One connection per broker and purpose, made when first asked for and again after it was lost. */
export class Connections {
  readonly #clientId: string
  readonly #security: Security
  readonly #requestTimeoutMs: Readonly<Record<Purpose, number>>
  readonly #links = new Map<string, Promise<Link>>()
  #isClosed = false

  constructor(clientId: string, security: Security, requestTimeoutMs: Readonly<Record<Purpose, number>>) {
    this.#clientId = clientId
    this.#security = security
    this.#requestTimeoutMs = requestTimeoutMs
  }

  async get(purpose: Purpose, { host, port }: BrokerAddress): Promise<Link> {
    const key = `${purpose} ${host}:${port}`
    for (let known = this.#links.get(key); known !== undefined; known = this.#links.get(key)) {
      const link = await known
      if (await link.isUsable()) return link
      if (this.#links.get(key) === known) this.#links.delete(key)
      void link.close()
    }
    if (this.#isClosed) throw new RetryableError('SourceClosed', 'the source is closed')
    const made = this.#connect(purpose, { host, port })
    this.#links.set(key, made)
    made.catch(() => {
      if (this.#links.get(key) === made) this.#links.delete(key)
    })
    return made
  }

  async #connect(purpose: Purpose, { host, port }: BrokerAddress): Promise<Link> {
    const connection = new Connection(this.#clientId, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: this.#requestTimeoutMs[purpose],
      maxInflights: MAX_IN_FLIGHT,
      ...(await this.#security.connectionOptions())
    })
    // The request that was waiting hears only that the connection was closed; an alert in TLS comes as an event.
    let alert: Error | undefined
    connection.on('error', error => {
      alert ??= error
    })
    try {
      await connection.connect(host, port)
      const { apiKeys } = await apiVersionsV1.api.async(connection, '', '')
      return new Link(connection, new Map(apiKeys.map(api => [api.apiKey, api])))
    } catch (error) {
      await connection.close().catch(() => {})
      throw alert ?? error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const links = await Promise.allSettled(this.#links.values())
    this.#links.clear()
    const open = links.flatMap(link => (link.status === 'fulfilled' ? [link.value] : []))
    await Promise.all(open.map(link => link.close()))
  }
}

type Versions = ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }>

/** A connection that knows which versions of each request its broker takes. */
export class Link {
  readonly #connection: Connection
  readonly #versions: Versions

  constructor(connection: Connection, versions: Versions) {
    this.#connection = connection
    this.#versions = versions
  }

  /** While the library authenticates anew (KIP-368) the broker takes nothing else: waits for that. */
  async isUsable(): Promise<boolean> {
    const connection = this.#connection
    if (connection.status === 'reauthenticating') await connection.ready().catch(() => {})
    return connection.isConnected()
  }

  /** The first of `candidates` that the broker takes. */
  choose<Candidate extends { readonly key: number; readonly version: number }>(
    candidates: readonly [Candidate, ...Candidate[]]
  ): Candidate {
    const range = this.#versions.get(candidates[0].key)
    const chosen = candidates.find(
      ({ version }) => range !== undefined && version >= range.minVersion && version <= range.maxVersion
    )
    if (chosen !== undefined) return chosen
    const wanted = candidates.map(({ version }) => version).join(', ')
    throw new FatalError(
      'BrokerTooOld',
      `The broker does not take any of the versions ${wanted} of request ${candidates[0].key}; Kafka 2.4 or newer is needed.`
    )
  }

  /**
   * Sends a request and resolves with the answer, whatever error codes it carries: the caller looks at them
   * (`checkCode`). Rejects when there is no answer.
   */
  async call<Args extends unknown[], Result>(
    candidates: readonly [API<Args, Result>, ...API<Args, Result>[]],
    ...args: Args
  ): Promise<Result> {
    try {
      return await this.choose(candidates).async(this.#connection, ...args)
    } catch (error) {
      if (error instanceof ResponseError) return error['response'] as Result
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#connection.close().catch(() => {})
  }
}
