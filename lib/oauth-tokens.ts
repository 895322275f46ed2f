import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { Clock } from './clock.ts'
import { FatalError, RetryableError } from './errors.ts'

export interface TokenRequest {
  readonly endpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
  /** PEM; trusted beside the roots that Node brings. */
  readonly ca: string | undefined
}

/** A token is used until this share of its life is over. */
const USABLE_SHARE = 0.8
const REQUEST_TIMEOUT_MS = 10_000
const MAX_RESPONSE_BYTES = 64 << 10

/** Access tokens by the client-credentials grant (RFC 6749 section 4.4), kept while they are fresh. */
export class OauthTokens {
  readonly #clock: Clock
  #kept: { readonly key: string; readonly token: string; readonly untilMs: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** FatalError when the endpoint refuses the client; RetryableError when it cannot be reached. */
  async get(request: TokenRequest): Promise<string> {
    const { endpoint, clientId, clientSecret, scope } = request
    const key = JSON.stringify([endpoint, clientId, clientSecret, scope])
    if (this.#kept?.key === key && this.#clock.now() < this.#kept.untilMs) return this.#kept.token
    const { status, body } = await post(request)
    if (status >= 400 && status < 500 && status !== 429) {
      throw new FatalError(
        'SourceAuthenticationFailed',
        `spec.source.security.tokenEndpoint refuses the client (HTTP ${status}): check clientId and clientSecret in ` +
          'the Secret of credentialsSecretRef, and scope.'
      )
    }
    const { access_token: token, expires_in: expiresIn } = status === 200 ? parse(body) : {}
    if (typeof token !== 'string' || token === '') {
      throw new RetryableError(
        'TokenEndpointTrouble',
        `the OAuth token endpoint answers HTTP ${status} without a token`
      )
    }
    const lifeMs = typeof expiresIn === 'number' && expiresIn > 0 ? expiresIn * 1000 : 0
    this.#kept = { key, token, untilMs: this.#clock.now() + lifeMs * USABLE_SHARE }
    return token
  }
}

function parse(body: string): { access_token?: unknown; expires_in?: unknown } {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}

async function post(request: TokenRequest): Promise<{ status: number; body: string }> {
  const { endpoint, clientId, clientSecret, scope, ca } = request
  const url = new URL(endpoint)
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) })
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')
  const options = {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    timeout: REQUEST_TIMEOUT_MS,
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] })
  }
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, response => {
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_RESPONSE_BYTES) response.destroy(new Error('the answer is too long'))
      else chunks.push(chunk)
    })
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
    response.on('error', reject)
  })
  sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
  sent.on('error', reject)
  sent.end(form.toString())
  return promise.catch((cause: unknown) => {
    throw new RetryableError('TokenEndpointUnreachable', 'the OAuth token endpoint cannot be reached', { cause })
  })
}
