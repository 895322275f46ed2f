import { type Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { Clock } from '../../lib/clock.ts'
import { KubeError } from './kube.ts'

/** How to reach an API server. */
export interface KubeAccess {
  /** `https://10.0.0.1:443` */
  readonly server: string
  /** PEM. */
  readonly ca?: string | Buffer | undefined
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  /** Asked before each request: tokens are exchanged while we run. */
  readonly token?: () => Promise<string | undefined>
  /** Makes the connections, where there is more to them than the above: a proxy, another server name. */
  readonly agent?: HttpAgent
  /** For every request; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Call {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal | undefined
  /** For the whole answer; the client's own when absent. */
  readonly timeoutMs?: number
}

const USER_AGENT = 'bronze-operator'
/** The kernel asks a silent peer whether it still lives: one that is gone without a word is noticed within half a minute. */
const KEEP_ALIVE_MS = 15_000
const MAX_THROTTLED_ATTEMPTS = 5
const MAX_RETRY_AFTER_MS = 30_000
/** An object in etcd has at most 1.5 MiB. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024

/** Requests to an API server. Those that it throttles (429) wait as long as it asks and go again. All throw KubeError. */
export class KubeHttp {
  readonly #access: KubeAccess
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #agent: HttpAgent | undefined

  /** `timeoutMs` is for the whole of an answer, or for the beginning of a long one. */
  constructor(access: KubeAccess, clock: Clock, timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    this.#access = access
    this.#clock = clock
    const { ca, cert, key } = access
    const tls = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
    const isSecure = access.server.startsWith('https:')
    this.#agent = access.agent ?? (isSecure ? new Agent({ keepAlive: true, ...tls }) : undefined)
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent?.destroy()
  }

  async json(call: Call): Promise<unknown> {
    return parse(await this.text(call))
  }

  async text(call: Call): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const signal = within(call.timeoutMs ?? this.#timeoutMs, call.signal)
      const response = await this.#send(call, signal)
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 300) return await textOf(response)
      const error = await failure(response)
      if (status !== 429 || attempt === MAX_THROTTLED_ATTEMPTS) throw error
      await this.#clock.sleep(Math.min(error.retryAfterMs ?? 1000, MAX_RETRY_AFTER_MS), call.signal)
      if (call.signal?.aborted) throw error
    }
  }

  /**
   * The lines of an answer as they come. The answer must begin in time, and break no longer silence than `silenceMs` says;
   * it is told how many lines there were.
   */
  async *lines(call: Call, silenceMs: (lines: number) => number): AsyncIterable<string> {
    const { path, signal } = call
    // Only until the answer begins; the signal of the caller counts after that, too.
    const beginning = new AbortController()
    const timer = setTimeout(() => beginning.abort(), this.#timeoutMs)
    let response: IncomingMessage
    try {
      response = await this.#send(call, signal === undefined ? beginning.signal : joined(beginning, signal))
      if (response.statusCode !== 200) throw await failure(response)
    } finally {
      clearTimeout(timer)
    }
    yield* spoken(response, path, silenceMs)
  }

  async #send(call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, path, query = {}, body, contentType = 'application/json' } = call
    const url = new URL(path, this.#access.server)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    const noAnswer = (cause: unknown) =>
      new KubeError(0, `${method} ${url.pathname} had no answer from the API server`, { cause })
    const token = await this.#access.token?.().catch((error: unknown) => {
      throw noAnswer(error)
    })
    const text = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      accept: 'application/json, */*;q=0.5',
      'user-agent': USER_AGENT,
      ...this.#access.headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) })
    }
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const options = { method, headers, signal, ...(this.#agent === undefined ? {} : { agent: this.#agent }) }
    const sent = url.protocol === 'https:' ? httpsRequest(url, options, resolve) : httpRequest(url, options, resolve)
    sent.on('socket', socket => socket.setKeepAlive(true, KEEP_ALIVE_MS))
    sent.on('error', error => reject(noAnswer(error)))
    sent.end(text)
    return promise
  }
}

const within = (ms: number, signal: AbortSignal | undefined) =>
  signal === undefined ? AbortSignal.timeout(ms) : AbortSignal.any([AbortSignal.timeout(ms), signal])

const joined = (own: AbortController, signal: AbortSignal) => AbortSignal.any([own.signal, signal])

async function* spoken(
  response: IncomingMessage,
  path: string,
  silenceMs: (lines: number) => number
): AsyncIterable<string> {
  const dumb = () => response.destroy(new Error('it fell silent'))
  let lines = 0
  let watchdog = setTimeout(dumb, silenceMs(lines))
  let rest = ''
  try {
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      const whole = chunk.includes('\n') ? (rest + chunk).split('\n') : [rest + chunk]
      rest = whole.pop() ?? ''
      if (rest.length > MAX_LINE_CHARACTERS) throw new Error('a line has no end')
      lines += whole.length
      clearTimeout(watchdog)
      watchdog = setTimeout(dumb, silenceMs(lines))
      for (const line of whole) if (line !== '') yield line
    }
    if (rest !== '') yield rest
  } catch (error) {
    throw new KubeError(0, `GET ${path} broke off`, { cause: error })
  } finally {
    clearTimeout(watchdog)
    response.destroy()
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk
  } catch (error) {
    throw new KubeError(0, 'an answer of the API server broke off', { cause: error })
  }
  return text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new KubeError(0, 'an answer of the API server is not JSON', { cause: error })
  }
}

async function failure(response: IncomingMessage): Promise<KubeError> {
  const status = response.statusCode ?? 0
  const text = await textOf(response)
  const told = text.startsWith('{') ? (parse(text) as Status) : {}
  const inHeader = Number(response.headers['retry-after'] ?? NaN)
  const seconds = Number.isFinite(inHeader) ? inHeader : told.details?.retryAfterSeconds
  return new KubeError(status, told.message ?? `the API server answers ${status}`, {
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000
  })
}

/** The body of a refusal, and the object of an event ERROR of a watch. */
export interface Status {
  readonly code?: number
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}
