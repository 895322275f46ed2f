import type { SnowflakeSink } from '../../../../crds/settled.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { HttpConnections, HttpError, fetchText, type HttpAnswer, type HttpRequest } from '../../../../lib/http.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'

/** A request of 4 MB over a slow line; a status of a hundred channels is some 100 kB. */
const LIMITS = { timeoutMs: 60_000, maxAnswerBytes: 16 << 20 }
const CONNECTIONS = { maxSockets: 16, idleMs: 30_000 }

/** Requests over kept connections, through the proxy if there is one. */
export class Transport {
  readonly #proxy: SnowflakeSink['proxy']
  readonly #readSecret: ReadSecret
  readonly #timeoutMs: number
  #connections: HttpConnections | undefined

  constructor(proxy: SnowflakeSink['proxy'], readSecret: ReadSecret, timeoutMs: number = LIMITS.timeoutMs) {
    this.#proxy = proxy
    this.#readSecret = readSecret
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
    const { host, port, credentialsSecret: secret } = this.#proxy
    const url = new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
    if (secret !== undefined) {
      url.username = encodeURIComponent(await this.#need(secret, 'username'))
      url.password = encodeURIComponent(await this.#need(secret, 'password'))
    }
    return url.toString()
  }

  async #need(secret: string, key: string): Promise<string> {
    const value = await this.#readSecret(secret, key)
    if (value !== undefined) return value
    throw new FatalError(
      'SecretMissing',
      `Secret ${secret} of spec.sink.snowflake.proxy.credentialsSecretRef has no ${key}.`
    )
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
