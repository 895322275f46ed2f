import type { Clock } from './clock.ts'
import { FatalError, RetryableError } from './errors.ts'
import { HttpError, fetchText, type HttpAnswer } from './http.ts'

export interface TokenRequest {
  readonly endpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
  /** PEM; trusted beside the roots that Node brings. */
  readonly ca: string | undefined
}

/** Who asks for tokens, as errors tell it. */
export interface TokenCaller {
  /** Of the spec: what holds tokenEndpoint, credentialsSecretRef, scope and caSecretRef. */
  readonly field: string
  /** The reason when the endpoint refuses the client. */
  readonly refused: string
  /** The reason when the endpoint's certificate is not trusted. */
  readonly untrusted: string
  /** Where the client's name and secret stand (RFC 6749 section 2.3.1). */
  readonly clientIn: 'header' | 'form'
}

export const SOURCE_TOKENS: TokenCaller = {
  field: 'spec.source.security',
  refused: 'SourceAuthenticationFailed',
  untrusted: 'SourceTlsFailed',
  clientIn: 'header'
}

export interface AccessToken {
  readonly token: string
  /** How long it may be used; undefined when the endpoint does not tell its life. */
  readonly usableMs: number | undefined
}

/** A token is used until this share of its life is over. */
const USABLE_SHARE = 0.8
const LIMITS = { timeoutMs: 10_000, maxAnswerBytes: 64 << 10 }
/** Statuses below 500 that may pass. */
const PASSING = [408, 425, 429]

/** Access tokens kept while they are fresh. */
export class OauthTokens {
  readonly #clock: Clock
  readonly #caller: TokenCaller
  #kept: { readonly key: string; readonly token: string; readonly untilMs: number } | undefined

  constructor(clock: Clock, caller: TokenCaller) {
    this.#clock = clock
    this.#caller = caller
  }

  /** Throws as `requestToken` does. A token whose life nobody tells is not kept. */
  async get(request: TokenRequest): Promise<string> {
    const { endpoint, clientId, clientSecret, scope } = request
    const key = JSON.stringify([endpoint, clientId, clientSecret, scope])
    if (this.#kept?.key === key && this.#clock.now() < this.#kept.untilMs) return this.#kept.token
    const { token, usableMs = 0 } = await requestToken(request, this.#caller)
    this.#kept = { key, token, untilMs: this.#clock.now() + usableMs }
    return token
  }
}

/**
 * A token by the client-credentials grant (RFC 6749 section 4.4). FatalError when the endpoint refuses the client or cannot
 * be trusted; RetryableError when it cannot be reached or has trouble.
 */
export async function requestToken(request: TokenRequest, caller: TokenCaller): Promise<AccessToken> {
  const { status, body } = await post(request, caller)
  // What the endpoint says may repeat what it was told: only its status is passed on.
  if (status >= 400 && status < 500 && !PASSING.includes(status)) {
    throw new FatalError(
      caller.refused,
      `The token endpoint of ${caller.field} refuses the client (HTTP ${status}): check clientId and clientSecret in the ` +
        'Secret of credentialsSecretRef, tokenEndpoint, and scope.'
    )
  }
  const { access_token: token, expires_in: expiresIn } = status === 200 ? parse(body) : {}
  if (typeof token !== 'string' || token === '') {
    throw new RetryableError(
      'TokenEndpointTrouble',
      `the token endpoint of ${caller.field} answers HTTP ${status} without a token`
    )
  }
  const isTold = typeof expiresIn === 'number' && expiresIn > 0
  return { token, usableMs: isTold ? expiresIn * 1000 * USABLE_SHARE : undefined }
}

function parse(body: string): { access_token?: unknown; expires_in?: unknown } {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}

async function post(request: TokenRequest, caller: TokenCaller): Promise<HttpAnswer> {
  const { endpoint, clientId, clientSecret, scope, ca } = request
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')
  const isInHeader = caller.clientIn === 'header'
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(isInHeader ? {} : { client_id: clientId, client_secret: clientSecret }),
    ...(scope === undefined ? {} : { scope })
  })
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(isInHeader ? { authorization: `Basic ${basic}` } : {})
  }
  try {
    return await fetchText({ method: 'POST', url: endpoint, headers, body: form.toString() }, { ...LIMITS, ca })
  } catch (error) {
    throw error instanceof HttpError ? unanswered(error, caller) : error
  }
}

function unanswered(cause: HttpError, { field, untrusted }: TokenCaller): FatalError | RetryableError {
  if (cause.trouble !== 'Untrusted')
    return new RetryableError('TokenEndpointUnreachable', `the token endpoint of ${field} cannot be reached`, { cause })
  return new FatalError(
    untrusted,
    `${cause.message}. Put the authority that signed the certificate of the token endpoint as ca.crt into the Secret of ` +
      `${field}.caSecretRef, or correct tokenEndpoint.`
  )
}
