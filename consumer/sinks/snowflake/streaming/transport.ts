import type { SnowflakeSink } from '../../../../crds/settled.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { HttpConnections, HttpError, fetchText, type HttpAnswer, type HttpRequest } from '../../../../lib/http.ts'
import type { SnowflakeSecrets } from '../session/secrets.ts'

/** A request of 4 MB over a slow line; a status of a hundred channels is some 100 kB. */
const LIMITS = { timeoutMs: 60_000, maxAnswerBytes: 16 << 20 }
const CONNECTIONS = { maxSockets: 16, idleMs: 30_000 }

/** Requests over kept connections, through the proxy if there is one. */
export class Transport {
  readonly #proxy: SnowflakeSink['proxy']
  readonly #secrets: SnowflakeSecrets
  readonly #timeoutMs: number
  #connections: HttpConnections | undefined

  constructor(proxy: SnowflakeSink['proxy'], secrets: SnowflakeSecrets, timeoutMs: number = LIMITS.timeoutMs) {
    this.#proxy = proxy
    this.#secrets = secrets
    this.#timeoutMs = timeoutMs
  }

  /** RetryableError `SnowflakeUnavailable` when there is no whole answer: the request may then have taken effect. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    this.#connections ??= new HttpConnections({ ...CONNECTIONS, proxyUrl: await this.#proxyUrl() })
    try {
      const connections = this.#connections
      return await fetchText(request, { ...LIMITS, timeoutMs: this.#timeoutMs, connections })
    } catch (error) {
      throw error instanceof HttpError ? unanswered(error) : error
    }
  }

  close(): void {
    this.#connections?.close()
    this.#connections = undefined
  }

  async #proxyUrl(): Promise<string | undefined> {
    if (this.#proxy === undefined) return undefined
    const { host, port } = this.#proxy
    const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
    const login = await this.#secrets.proxyLogin()
    if (login !== undefined) {
      url.username = encodeURIComponent(login.username)
      url.password = encodeURIComponent(login.password)
    }
    return url.toString()
  }
}

function unanswered(cause: HttpError): FatalError | RetryableError {
  if (cause.trouble !== 'Untrusted')
    return new RetryableError('SnowflakeUnavailable', `Snowpipe Streaming at ${cause.message}`)
  return new FatalError(
    'SnowflakeTlsFailed',
    `Snowpipe Streaming at ${cause.message}: check spec.sink.snowflake.url, and what terminates TLS between here and there.`
  )
}
