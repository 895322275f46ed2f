import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a catalog can ask of its clients and tell them, beyond what the reference server does. */
export interface FacadeOptions {
  /** The catalog that does the work, `http://host:port`. */
  readonly upstream: string
  /** Told in the configuration; any other path than `/v1/{prefix}/…` is unknown. */
  readonly prefix?: string
  /** The only warehouse that there is. */
  readonly warehouse?: string
  /** Requests need the token of a client that has shown these at `tokenEndpoint`, with this scope when it is set. */
  readonly oauth?: { readonly clientId: string; readonly clientSecret: string; readonly scope?: string }
  readonly tokenSeconds?: number
  /** Requests need this token. */
  readonly token?: string
  /** Told to who asks for vended credentials: properties of the store for locations that begin with `prefix`. */
  readonly vend?: () => Promise<{ readonly prefix: string; readonly config: Readonly<Record<string, string>> }>
  /** Properties for clients with every table that they load. */
  readonly tableConfig?: Readonly<Record<string, string>>
  readonly defaults?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, string>>
  /** The list of endpoints from the reference server's; undefined leaves it out. */
  readonly endpoints?: (given: readonly string[]) => readonly string[] | undefined
  /** Commits of several tables are one step, and are said to be; by default there are none. */
  readonly hasTransactions?: boolean
}

export interface CatalogFacade {
  readonly uri: string
  /** Full URL; `{uri}/v1/oauth/tokens` does the same. */
  readonly tokenEndpoint: string
  /** All requests so far as `GET /v1/…`, tokens included, in order. */
  readonly requests: readonly string[]
  /** The tokens that it has given are refused from now on. */
  readonly revokeTokens: () => void
  readonly stop: () => Promise<void>
}

const TRANSACTIONS = 'POST /v1/{prefix}/transactions/commit'
/** Of no use to anybody, and known as a mark of the reference server. */
const ELSEWHERE = 'POST https://auth-server.com/token'

interface Facade {
  readonly options: FacadeOptions
  readonly tokens: Map<string, number>
  /** Changes go one after the other: the reference server commits the tables of a transaction one by one. */
  changing: Promise<unknown>
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** A catalog before the reference server, with a prefix, tokens, vended credentials and transactions as told. */
export async function startFacade(options: FacadeOptions): Promise<CatalogFacade> {
  const facade: Facade = { options, tokens: new Map(), changing: Promise.resolve() }
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    void respond(facade, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    uri,
    tokenEndpoint: `${uri}/token`,
    requests,
    revokeTokens: () => facade.tokens.clear(),
    stop: async () => {
      server.close()
      server.closeAllConnections()
    }
  }
}

async function respond(facade: Facade, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  const answer = await answerTo(facade, request, body).catch((error: unknown) => refusal(500, String(error)))
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
}

async function answerTo(facade: Facade, request: IncomingMessage, body: string): Promise<Answer> {
  const { options } = facade
  const { pathname, search, searchParams } = new URL(request.url ?? '/', 'http://facade')
  if (pathname === '/token' || pathname === '/v1/oauth/tokens') return giveToken(facade, request, body)
  if (!isKnown(facade, request.headers.authorization)) return refusal(401, 'no valid token', 'NotAuthorizedException')
  if (pathname === '/v1/config') return await configuration(options, searchParams.get('warehouse'))
  const under = options.prefix === undefined ? '/v1/' : `/v1/${encodeURI(options.prefix)}/`
  if (!pathname.startsWith(under)) return refusal(404, `no such path: ${pathname}`)
  const path = pathname.slice(under.length)
  if (path === 'transactions/commit' && options.hasTransactions !== true) return refusal(404, 'no transactions')
  const pass = () => upstream(options, request, `/v1/${path}${search}`, body)
  if (request.method === 'GET' || request.method === 'HEAD') return withStorage(options, request, await pass())
  const changed = facade.changing.then(pass)
  facade.changing = changed.catch(() => {})
  return withStorage(options, request, await changed)
}

async function upstream(options: FacadeOptions, request: IncomingMessage, path: string, body: string): Promise<Answer> {
  const method = request.method ?? 'GET'
  const headers = { 'content-type': request.headers['content-type'] ?? 'application/json' }
  const response = await fetch(`${options.upstream}${path}`, { method, headers, ...(body === '' ? {} : { body }) })
  return { status: response.status, body: await response.text() }
}

function giveToken({ options, tokens }: Facade, request: IncomingMessage, body: string): Answer {
  const { oauth, tokenSeconds = 3600 } = options
  const form = new URLSearchParams(body)
  const basic = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString()
  const shown = form.has('client_id') ? `${form.get('client_id')}:${form.get('client_secret')}` : basic
  const refuse = (error: string): Answer => ({ status: error === 'invalid_client' ? 401 : 400, body: json({ error }) })
  if (form.get('grant_type') !== 'client_credentials') return refuse('unsupported_grant_type')
  if (oauth === undefined || shown !== `${oauth.clientId}:${oauth.clientSecret}`) return refuse('invalid_client')
  if (oauth.scope !== undefined && form.get('scope') !== oauth.scope) return refuse('invalid_scope')
  const token = randomUUID()
  tokens.set(token, Date.now() + 1000 * tokenSeconds)
  const given = { access_token: token, token_type: 'bearer', expires_in: tokenSeconds }
  return { status: 200, body: json({ ...given, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }) }
}

function isKnown({ options, tokens }: Facade, authorization = ''): boolean {
  const shown = /^Bearer (.+)$/i.exec(authorization)?.[1]
  if (options.token !== undefined && shown === options.token) return true
  if (options.token === undefined && options.oauth === undefined) return true
  return Date.now() < (tokens.get(shown ?? '') ?? 0)
}

async function configuration(options: FacadeOptions, warehouse: string | null): Promise<Answer> {
  const wanted = options.warehouse
  if (wanted !== undefined && warehouse !== wanted) return refusal(404, `no warehouse ${warehouse}`)
  const given = (await (await fetch(`${options.upstream}/v1/config`)).json()) as ReferenceConfig
  const common = given.endpoints.filter(each => each !== ELSEWHERE && each !== TRANSACTIONS)
  const all = options.hasTransactions === true ? [...common, TRANSACTIONS] : common
  const endpoints = options.endpoints === undefined ? all : options.endpoints(all)
  const prefix = options.prefix === undefined ? {} : { prefix: options.prefix }
  const overrides = { ...given.overrides, ...prefix, ...options.overrides }
  return { status: 200, body: json({ defaults: { ...options.defaults }, overrides, endpoints }) }
}

interface ReferenceConfig {
  readonly overrides: Readonly<Record<string, string>>
  readonly endpoints: readonly string[]
}

/** Adds to the text of a loaded table: parsed and written again, its 64-bit ids would not be the same. */
async function withStorage(options: FacadeOptions, request: IncomingMessage, answer: Answer): Promise<Answer> {
  if (!answer.body.startsWith('{"metadata-location"')) return answer
  const delegated = String(request.headers['x-iceberg-access-delegation'] ?? '').includes('vended-credentials')
  const more = {
    config: { ...options.tableConfig },
    ...(delegated && options.vend !== undefined ? { 'storage-credentials': [await options.vend()] } : {})
  }
  return { status: answer.status, body: `${answer.body.replace(/}\s*$/, '')},${json(more).slice(1)}` }
}

/** An error as the protocol has it. */
const refusal = (code: number, message: string, type = code === 404 ? 'NotFoundException' : 'ServerError'): Answer => ({
  status: code,
  body: json({ error: { message, type, code } })
})

const json = (value: object) => JSON.stringify(value)
