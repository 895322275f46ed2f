import { createHash, createPublicKey, createVerify, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { SnowpipeState, type Answer } from './snowpipe-state.ts'

/** Of the account and its one user. */
export interface SnowpipeAccount {
  readonly account: string
  readonly user: string
  readonly privateKey: KeyObject
  /** An OAuth token that is taken as it is. */
  readonly oauthToken?: string
}

/** Said instead of what would be said; `isLost`: it took effect first. */
export interface Interference {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly isLost?: boolean
}

/**
 * Snowpipe Streaming's REST API, version 2, over `SnowpipeState`: host name, scoped token, channels, rows, statuses. It checks
 * signature, issuer, subject and times of key-pair tokens, and that a scoped token was exchanged for this host and is not too old.
 * The reference does not say how long a scoped token lives; tests end that life when they want (`forgetTokens`).
 */
export class SnowpipeServer {
  readonly state = new SnowpipeState()
  readonly requests: string[] = []
  url = ''
  role: string | undefined
  /** Asked before each request is answered. */
  interfere: (request: { readonly method: string; readonly path: string }) => Interference | undefined = () => undefined
  readonly #account: SnowpipeAccount
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  #tokens = new Map<string, string>()

  constructor(account: SnowpipeAccount) {
    this.#account = account
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** The scoped tokens are over. */
  forgetTokens(): void {
    this.#tokens = new Map()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    const body = await buffer(request)
    const path = url.split('?')[0] ?? ''
    this.requests.push(`${method} ${path}`)
    const interference = this.interfere({ method, path })
    const answered =
      interference === undefined || interference.isLost === true ? this.#served(request, method, url, body) : undefined
    const { status, body: said } = interference ?? answered ?? { status: 500, body: undefined }
    if (status === 0) return void request.socket.destroy()
    response.writeHead(status, { 'content-type': 'application/json', ...interference?.headers })
    response.end(typeof said === 'string' ? said : JSON.stringify(said ?? {}))
  }

  #served(request: IncomingMessage, method: string, url: string, body: Buffer): Answer {
    const { pathname, searchParams } = new URL(url, this.url)
    const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if (request.headers.accept !== 'application/json') return { status: 406, body: { code: '391902' } }
    if (method === 'GET' && pathname === '/v2/streaming/hostname')
      return this.#isIdentity(request, bearer) ? { status: 200, body: new URL(this.url).host } : UNAUTHORIZED
    if (method === 'POST' && pathname === '/oauth/token') return this.#exchange(request, bearer, body.toString())
    if (!this.#tokens.has(bearer) && !this.#isOauth(request, bearer)) return UNAUTHORIZED
    return this.#channels(request, method, pathname, searchParams, body)
  }

  #channels(request: IncomingMessage, method: string, pathname: string, query: URLSearchParams, body: Buffer): Answer {
    const match = PATH.exec(pathname)
    const [, data, pipe = '', channel, rest] = match?.map(part => part && decodeURIComponent(part)) ?? []
    const type = request.headers['content-type']
    if (match === null) return { status: 404, body: { code: 'NOT_FOUND' } }
    if (data !== undefined) {
      if (method !== 'POST' || rest !== '/rows' || channel === undefined || type !== 'application/x-ndjson') return BAD
      return this.state.append(pipe, channel, {
        continuation: query.get('continuationToken') ?? '',
        token: query.get('endOffsetToken') ?? '',
        body,
        encoding: request.headers['content-encoding']
      })
    }
    if (type !== 'application/json') return BAD
    if (method === 'PUT' && channel !== undefined) return this.state.open(pipe, channel)
    if (method === 'DELETE' && channel !== undefined) return this.state.drop(pipe, channel)
    if (method === 'POST' && rest === ':bulk-channel-status') {
      const { channel_names: names } = JSON.parse(body.toString()) as { channel_names: readonly string[] }
      return this.state.statuses(pipe, names)
    }
    return BAD
  }

  #exchange(request: IncomingMessage, bearer: string, body: string): Answer {
    const form = new URLSearchParams(body)
    const [host, role] = (form.get('scope') ?? '').split(' session:role:')
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded'
    const isGrant = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    if (!isForm || !isGrant || host !== new URL(this.url).host) return BAD
    if (!this.#isKeyPair(bearer)) return UNAUTHORIZED
    this.role = role
    const token = `scoped.${createHash('sha256').update(`${bearer}${this.#tokens.size}`).digest('hex')}`
    this.#tokens.set(token, host)
    return { status: 200, body: token }
  }

  #isIdentity(request: IncomingMessage, bearer: string): boolean {
    const type = request.headers['x-snowflake-authorization-token-type']
    return type === 'KEYPAIR_JWT' ? this.#isKeyPair(bearer) : this.#isOauth(request, bearer)
  }

  #isOauth(request: IncomingMessage, bearer: string): boolean {
    const { oauthToken } = this.#account
    const type = request.headers['x-snowflake-authorization-token-type']
    return oauthToken !== undefined && bearer === oauthToken && type === 'OAUTH'
  }

  #isKeyPair(jwt: string): boolean {
    const { account, user, privateKey } = this.#account
    const [header = '', claims = '', signature = ''] = jwt.split('.')
    const key = createPublicKey(privateKey)
    const verify = createVerify('RSA-SHA256').update(`${header}.${claims}`)
    if (!verify.verify(key, Buffer.from(signature, 'base64url'))) return false
    const { alg, typ } = decoded(header)
    const { iss, sub, iat, exp } = decoded(claims)
    const fingerprint = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('base64')
    const subject = `${account}.${user}`.toUpperCase()
    const now = Date.now() / 1000
    const isInTime = Number(iat) <= now && Number(exp) > now && Number(exp) - Number(iat) <= 3600
    return alg === 'RS256' && typ === 'JWT' && iss === `${subject}.SHA256:${fingerprint}` && sub === subject && isInTime
  }
}

const PATH =
  /^\/v2\/streaming(\/data)?\/databases\/[^/]+\/schemas\/[^/]+\/pipes\/([^/:]+)(?:\/channels\/([^/:]+))?(:[a-z-]+|\/rows)?$/
const UNAUTHORIZED: Answer = { status: 401, body: { code: '390144' } }
const BAD: Answer = { status: 400, body: { code: 'BAD_REQUEST' } }

const decoded = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
