import type { SnowflakeSink } from '../../../../crds/settled.ts'
import { backoffMs } from '../../../../lib/backoff.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import type { HttpAnswer } from '../../../../lib/http.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'
import { SnowflakeSecrets } from '../session/secrets.ts'
import { Identities, checkAuthentication } from './access.ts'
import { channelStates, codeOf, continuationOf, openedChannel, verdictOf, type Verdict } from './answers.ts'
import { IngestHost, type IngestAccess } from './ingest-host.ts'
import type { AppendAnswer, AppendRequest, ChannelState, OpenedChannel, Pipe, StreamingService } from './service.ts'
import { Transport } from './transport.ts'

export interface RestOptions {
  readonly snowflake: SnowflakeSink
  readonly readSecret: ReadSecret
  readonly clock: Clock
  /** Of one request, 60 s by default. */
  readonly timeoutMs?: number
}

/** Tries of a request that can be made again, waiting between them; together less than half a minute. */
const MAX_TRIES = 5
const BACKOFF = { firstMs: 500, maxMs: 8_000 }
const MAX_WAIT_MS = 30_000
/** Channels in one status request; how many the service takes is not told. */
const MAX_NAMES = 100

interface Call {
  readonly method: 'PUT' | 'POST'
  /** Below `/v2/streaming`. */
  readonly path: string
  readonly body: string | Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Snowpipe Streaming by its REST API, version 2 (user-guide/snowpipe-streaming/snowpipe-streaming-high-performance-rest-api). */
export function openStreamingService(options: RestOptions): StreamingService {
  checkAuthentication(options.snowflake)
  return new RestService(options)
}

class RestService implements StreamingService {
  readonly #clock: Clock
  readonly #transport: Transport
  readonly #host: IngestHost

  constructor({ snowflake, readSecret, clock, timeoutMs }: RestOptions) {
    this.#clock = clock
    const secrets = new SnowflakeSecrets(snowflake, readSecret, clock)
    this.#transport = new Transport(snowflake.proxy, secrets, timeoutMs)
    const identities = new Identities(snowflake, secrets, clock)
    this.#host = new IngestHost({ snowflake, identities, transport: this.#transport, clock })
  }

  async open(pipe: Pipe, channel: string): Promise<OpenedChannel> {
    const call = { method: 'PUT', path: channelPath('', pipe, channel), body: '{}', headers: JSON_BODY } as const
    const opened = openedChannel(await this.#repeatable(call, `opening channel ${channel}`))
    if (opened === undefined) throw unreadable(`opening channel ${channel}`)
    return opened
  }

  async append(pipe: Pipe, channel: string, { continuation, body, token }: AppendRequest): Promise<AppendAnswer> {
    const query = new URLSearchParams({ continuationToken: continuation, endOffsetToken: token })
    const path = `${channelPath('/data', pipe, channel)}/rows?${query.toString()}`
    const headers = { 'content-type': 'application/x-ndjson', 'content-encoding': 'zstd' }
    const what = `appending to channel ${channel}`
    for (let attempt = 1; ; attempt++) {
      let answer: Answer
      try {
        answer = await this.#send({ method: 'POST', path, body, headers })
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error
        return unknown(error)
      }
      const { verdict, code } = answer
      // A continuation token is good for one append: were this one taken up after all, the next try would say so.
      if (verdict === 'busy' && attempt < MAX_TRIES) await this.#wait(answer, attempt)
      else if (verdict === 'ok') return received(answer.body, what)
      else if (verdict === 'unknown' || verdict === 'busy' || attempt > 1) return unknown(trouble(answer, what))
      else if (verdict === 'stale') return { status: 'stale' }
      else if (verdict === 'invalid' || verdict === 'missing') return { status: 'invalid', code }
      else throw this.#failure(answer, what)
    }
  }

  async statuses(pipe: Pipe, channels: readonly string[]): Promise<ReadonlyMap<string, ChannelState>> {
    const found = new Map<string, ChannelState>()
    for (let start = 0; start < channels.length; start += MAX_NAMES) {
      const names = channels.slice(start, start + MAX_NAMES)
      const path = `${pipePath('', pipe)}:bulk-channel-status`
      const body = JSON.stringify({ channel_names: names })
      const call = { method: 'POST', path, body, headers: JSON_BODY } as const
      // Before the first channel is opened there may be no pipe, and so no channel.
      const answer = await this.#repeatable(call, `asking for channels of ${pipe.name}`, MAKES_NO_PIPE)
      const states = answer === '' ? new Map<string, ChannelState>() : channelStates(answer)
      if (states === undefined) throw unreadable(`asking for channels of ${pipe.name}`)
      for (const name of names) {
        const state = states.get(name)
        if (state !== undefined) found.set(name, state)
      }
    }
    return found
  }

  close(): void {
    this.#transport.close()
  }

  /** The body of the answer; empty for a code of `absent`. */
  async #repeatable(call: Call, what: string, absent: ReadonlySet<string> = new Set()): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#send(call)
      if (answer.verdict === 'ok') return answer.body
      if (absent.has(answer.code)) return ''
      const mayPass = ['busy', 'unknown', 'stale', 'invalid'].includes(answer.verdict)
      if (!mayPass) throw this.#failure(answer, what)
      if (attempt === MAX_TRIES) throw trouble(answer, what)
      await this.#wait(answer, attempt)
    }
  }

  async #wait({ retryAfterMs }: HttpAnswer, attempt: number): Promise<void> {
    const ownMs = backoffMs(attempt, this.#clock.random(), BACKOFF)
    await this.#clock.sleep(Math.min(MAX_WAIT_MS, Math.max(ownMs, retryAfterMs ?? 0)))
  }

  async #send(call: Call): Promise<Answer> {
    const access = await this.#host.access()
    const answer = await this.#once(call, access)
    if (answer.verdict !== 'unauthorized') {
      if (answer.verdict === 'ok') this.#host.hasWorked = true
      return answer
    }
    // Its time was over, or the key was changed: a new one is asked for once.
    this.#host.forget(access)
    return await this.#once(call, await this.#host.access())
  }

  async #once({ method, path, body, headers }: Call, { origin, headers: own }: IngestAccess): Promise<Answer> {
    const url = `${origin}/v2/streaming${path}`
    const answer = await this.#transport.send({ method, url, body, headers: { ...headers, ...own } })
    const code = codeOf(answer.body)
    return { ...answer, code, verdict: verdictOf(answer.status, code) }
  }

  #failure({ status, code, verdict }: Answer, what: string): Error {
    const said = `Snowpipe Streaming, ${what}: HTTP ${status} ${code}`.trim()
    if (verdict === 'unauthorized' || verdict === 'forbidden') return this.#host.refusal(said)
    if (verdict === 'missing')
      return new FatalError(
        'SnowflakeObjectMissing',
        `${said}. The table or its pipe is not there, or the role may not use it: GRANT INSERT (and OPERATE on its pipe) to spec.sink.snowflake.role.`
      )
    return new FatalError(
      'SnowflakeRefused',
      `${said}. This is not what its documentation describes: choose mode Transaction in spec.sink.snowflake.mode for another pipeline, and tell us.`
    )
  }
}

interface Answer extends HttpAnswer {
  readonly verdict: Verdict
  readonly code: string
}

const JSON_BODY = { 'content-type': 'application/json' }
const MAKES_NO_PIPE = new Set(['ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED'])

const pipePath = (prefix: string, { database, schema, name }: Pipe): string =>
  `${prefix}/databases/${encodeURIComponent(database)}/schemas/${encodeURIComponent(schema)}/pipes/${encodeURIComponent(name)}`

const channelPath = (prefix: string, pipe: Pipe, channel: string): string =>
  `${pipePath(prefix, pipe)}/channels/${encodeURIComponent(channel)}`

function received(body: string, what: string): AppendAnswer {
  const continuation = continuationOf(body)
  return continuation === undefined ? unknown(unreadable(what)) : { status: 'received', continuation }
}

const unknown = (error: unknown): AppendAnswer => ({ status: 'unknown', error })

const unreadable = (what: string): RetryableError =>
  new RetryableError('SnowflakeUnavailable', `Snowpipe Streaming, ${what}: the answer is not as documented`)

const trouble = ({ status, code, verdict }: Answer, what: string): RetryableError =>
  new RetryableError(
    verdict === 'busy' ? 'SnowflakeBusy' : 'SnowflakeUnavailable',
    `Snowpipe Streaming, ${what}: HTTP ${status} ${code}`.trim()
  )
