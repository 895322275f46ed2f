import type { SnowflakeSink } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import type { HttpAnswer } from '../../../../lib/http.ts'
import type { Identities, Identity } from './access.ts'
import { valueOrMember } from './answers.ts'
import type { Transport } from './transport.ts'

export interface IngestAccess {
  /** `https://<ingest host>`. */
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
  readonly untilMs: number
}

interface Ports {
  readonly snowflake: SnowflakeSink
  readonly identities: Identities
  readonly transport: Transport
  readonly clock: Clock
}

/** A scoped token's life is not told; other clients take it to be an hour. */
const SCOPED_MS = 45 * 60_000
const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}(?::\d{1,5})?$/
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+)(?::\d+)?$/

/**
 * Where rows go and by what right: the account tells its ingest host, and exchanges our key-pair token for one that is good
 * there alone ("Get Hostname" and "Exchange Scoped Token" of snowpipe-streaming-high-performance-rest-api). An OAuth token is
 * used as it is, as the page's header of token types has it.
 */
export class IngestHost {
  readonly #ports: Ports
  readonly #account: string
  /** Whether the service has taken us before: what it refuses now is perhaps being changed. */
  hasWorked = false
  #kept: IngestAccess | undefined
  #asked: Promise<IngestAccess> | undefined

  constructor(ports: Ports) {
    this.#ports = ports
    this.#account = ports.snowflake.url ?? `https://${ports.snowflake.account}.snowflakecomputing.com`
  }

  async access(): Promise<IngestAccess> {
    if (this.#kept !== undefined && this.#ports.clock.now() < this.#kept.untilMs) return this.#kept
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined
    })
    this.#kept = await this.#asked
    return this.#kept
  }

  /** It was refused. */
  forget(access: IngestAccess): void {
    if (this.#kept === access) this.#kept = undefined
    this.#ports.identities.forget()
  }

  /** Why nothing goes on after it was refused again. */
  refusal(said: string): FatalError | RetryableError {
    if (this.hasWorked) return new RetryableError('SnowflakeRefusesCredentials', `${said}, which worked before`)
    const { authentication, credentialsSecret } = this.#ports.snowflake
    const check =
      authentication === 'KeyPair' ? "privateKey, and the user's RSA_PUBLIC_KEY in Snowflake" : 'the OAuth token'
    return new FatalError(
      'SnowflakeAuthenticationFailed',
      `${said}. Check user and ${check}, in Secret ${credentialsSecret}, and that spec.sink.snowflake.role is granted to the user.`
    )
  }

  async #ask(): Promise<IngestAccess> {
    const { identities, clock } = this.#ports
    const identity = await identities.get()
    const hostname = await this.#hostname(identity)
    const isPlain = this.#account.startsWith('http:')
    if (isPlain && !LOOPBACK.test(hostname))
      throw new FatalError('InsecureUrl', 'spec.sink.snowflake.url may be http:// for this machine only.')
    const origin = `${isPlain ? 'http' : 'https'}://${hostname}`
    if (identity.type === 'OAUTH') return { origin, headers: headersOf(identity), untilMs: identity.untilMs }
    const token = await this.#scopedToken(identity, hostname)
    const headers = { authorization: `Bearer ${token}`, 'user-agent': AGENT }
    return { origin, headers, untilMs: clock.now() + SCOPED_MS }
  }

  /** "Replace all underscores with dashes" (snowpipe-streaming-high-performance-rest-tutorial, step 2). */
  async #hostname(identity: Identity): Promise<string> {
    const url = `${this.#account}/v2/streaming/hostname`
    const answer = await this.#ports.transport.send({ method: 'GET', url, headers: headersOf(identity) })
    const hostname = this.#value(answer, 'hostname')?.replaceAll('_', '-')
    if (hostname === undefined || !HOST.test(hostname))
      throw new RetryableError('SnowflakeUnavailable', `${this.#account} tells no host for Snowpipe Streaming`)
    return hostname
  }

  async #scopedToken(identity: Identity, hostname: string): Promise<string> {
    const { role } = this.#ports.snowflake
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      scope: role === undefined ? hostname : `${hostname} session:role:${role.toUpperCase()}`,
      // The tutorial has it in the header alone; the grant itself (RFC 7523 section 2.1) here.
      assertion: identity.token
    })
    const headers = { ...headersOf(identity), 'content-type': 'application/x-www-form-urlencoded' }
    const url = `${this.#account}/oauth/token`
    const answer = await this.#ports.transport.send({ method: 'POST', url, headers, body: form.toString() })
    const token = this.#value(answer, 'token')
    if (token === undefined)
      throw new RetryableError('SnowflakeUnavailable', `${this.#account} gives no token for Snowpipe Streaming`)
    return token
  }

  /** What it says in an error may repeat what it was told: only its status is passed on. */
  #value({ status, body }: HttpAnswer, name: string): string | undefined {
    if (status === 200) return valueOrMember(body, name)
    const said = `${this.#account}, asked for the ${name} of Snowpipe Streaming, answers HTTP ${status}`
    if (status === 400 || status === 401 || status === 403) {
      this.#ports.identities.forget()
      throw this.refusal(said)
    }
    if (status === 404)
      throw new FatalError('SnowflakeAccountMissing', `${said}. Check spec.sink.snowflake.account and url.`)
    throw new RetryableError('SnowflakeUnavailable', said)
  }
}

const AGENT = 'BronzeOperator/1'

const headersOf = ({ token, type }: Identity): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${token}`,
  'x-snowflake-authorization-token-type': type,
  'user-agent': AGENT
})
