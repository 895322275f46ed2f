import type { IcebergCatalog } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import type { HttpAnswer } from '../../../../lib/http.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'
import { stringifyJson } from '../../json.ts'
import type { TableChange } from '../commit.ts'
import { jsonOf, loadedTable, objectAt, unreadable } from './answer.ts'
import type { DroppingCatalog, LoadedTable, TableName } from './catalog.ts'
import { parseCatalogConfig, type CatalogConfig } from './config.ts'
import { isProtocolError, parseRefusal, passing, refusalError } from './errors.ts'
import { uuidV7 } from './idempotency.ts'
import { CatalogTokens } from './tokens.ts'
import { Transport } from './transport.ts'

export interface RestCatalogOptions {
  readonly catalog: IcebergCatalog
  readonly readSecret: ReadSecret
  readonly clock: Clock
  /** Whether the catalog is asked for credentials of the tables' own, as by default. Catalogs that cannot give any may refuse. */
  readonly wantsCredentials?: boolean
}

const DELEGATION = { 'x-iceberg-access-delegation': 'vended-credentials' }

/**
 * A client of the Iceberg REST protocol. Nothing is sent before the first call, so that a catalog that is away is
 * trouble like any other.
 */
export async function openRestCatalog(options: RestCatalogOptions): Promise<DroppingCatalog> {
  const { catalog, readSecret, clock, wantsCredentials = true } = options
  const { caSecret } = catalog
  const ca = caSecret === undefined ? undefined : await readSecret(caSecret, 'ca.crt')
  if (caSecret !== undefined && ca === undefined)
    throw new FatalError(
      'SecretMissing',
      `Secret ${caSecret} (spec.sink.iceberg.catalog.caSecretRef) has no key ca.crt.`
    )
  return new RestCatalog(catalog, {
    transport: new Transport(ca),
    clock,
    tokens: new CatalogTokens(catalog, { readSecret, clock, ca }),
    delegation: wantsCredentials ? DELEGATION : {}
  })
}

interface Ports {
  readonly transport: Transport
  readonly clock: Clock
  readonly tokens: CatalogTokens
  readonly delegation: Readonly<Record<string, string>>
}

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/v1/{prefix}/`. */
  readonly path: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** What is done, for errors. */
  readonly what: string
  /** Statuses that mean something to the caller. */
  readonly expected?: readonly number[]
}

class RestCatalog implements DroppingCatalog {
  readonly #options: IcebergCatalog
  readonly #ports: Ports
  #config: Promise<CatalogConfig> | undefined
  /** Whether the catalog has served us as who we are; its configuration is for everybody. */
  #isAccepted = false

  constructor(options: IcebergCatalog, ports: Ports) {
    this.#options = options
    this.#ports = ports
  }

  async hasTransactions(): Promise<boolean> {
    return (await this.#configured()).hasTransactions
  }

  async createNamespace(namespace: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= namespace.length; depth++) {
      const own = namespace.slice(0, depth)
      // Looked for first: an identity may be allowed to use a namespace and not to create any.
      const { status } = await this.#call({
        method: 'GET',
        path: `namespaces/${await this.#namespacePath(own)}`,
        what: `namespace ${own.join('.')}`,
        expected: [404]
      })
      if (status === 404)
        await this.#call({
          method: 'POST',
          path: 'namespaces',
          body: { namespace: own, properties: {} },
          what: `creating namespace ${own.join('.')}`,
          expected: [409]
        })
    }
  }

  async createTable({ namespace, name }: TableName, request: object): Promise<LoadedTable | 'exists'> {
    const { status, json } = await this.#call({
      method: 'POST',
      path: `namespaces/${await this.#namespacePath(namespace)}/tables`,
      body: request,
      headers: this.#ports.delegation,
      what: `creating table ${[...namespace, name].join('.')}`,
      expected: [409]
    })
    return status === 409 ? 'exists' : await this.#loaded(json)
  }

  async loadTable(table: TableName): Promise<LoadedTable | undefined> {
    const { status, json } = await this.#call({
      method: 'GET',
      path: await this.#tablePath(table),
      headers: this.#ports.delegation,
      what: `loading table ${fullName(table)}`,
      expected: [404]
    })
    return status === 404 ? undefined : await this.#loaded(json)
  }

  async commitTable(
    table: TableName,
    change: TableChange
  ): Promise<{ readonly metadata: unknown } | 'conflict' | 'gone'> {
    const { status, json } = await this.#call({
      method: 'POST',
      path: await this.#tablePath(table),
      body: changeOf(table, change),
      what: `a commit to table ${fullName(table)}`,
      expected: [404, 409]
    })
    if (status === 404) return 'gone'
    return status === 409 ? 'conflict' : { metadata: objectAt(json, 'metadata') }
  }

  async commitTransaction(
    changes: readonly { readonly table: TableName; readonly change: TableChange }[]
  ): Promise<'committed' | 'conflict' | 'gone'> {
    const { status } = await this.#call({
      method: 'POST',
      path: 'transactions/commit',
      body: { 'table-changes': changes.map(({ table, change }) => changeOf(table, change)) },
      what: `a commit to tables ${changes.map(({ table }) => fullName(table)).join(', ')}`,
      expected: [404, 409]
    })
    return status === 404 ? 'gone' : status === 409 ? 'conflict' : 'committed'
  }

  async dropTable(table: TableName, withFiles: boolean): Promise<'dropped' | 'gone'> {
    const { status } = await this.#call({
      method: 'DELETE',
      path: `${await this.#tablePath(table)}?purgeRequested=${withFiles}`,
      what: `dropping table ${fullName(table)}`,
      expected: [404]
    })
    return status === 404 ? 'gone' : 'dropped'
  }

  async close(): Promise<void> {
    this.#ports.transport.close()
  }

  /** What the catalog says of itself (`GET /v1/config`): asked once, and again after trouble. */
  async #configured(): Promise<CatalogConfig> {
    this.#config ??= this.#loadConfig().catch((error: unknown) => {
      this.#config = undefined
      throw error
    })
    return await this.#config
  }

  async #loadConfig(): Promise<CatalogConfig> {
    const { uri, warehouse } = this.#options
    const query = warehouse === undefined ? '' : `?${new URLSearchParams({ warehouse }).toString()}`
    const request = { method: 'GET', headers: {}, what: 'the configuration' } as const
    const { json } = await this.#exchange(`${uri}/v1/config${query}`, request)
    return parseCatalogConfig(json)
  }

  /**
   * One request. Where the catalog keeps idempotency keys a change whose outcome is unknown is sent again under its
   * key, once.
   */
  async #call(call: Call): Promise<{ readonly status: number; readonly json: unknown }> {
    const { prefix, keepsKeys } = await this.#configured()
    const url = `${this.#options.uri}/v1/${prefix}${call.path}`
    try {
      const answer = await (call.method === 'POST' && keepsKeys ? this.#keyed(url, call) : this.#exchange(url, call))
      this.#isAccepted = true
      return answer
    } catch (error) {
      throw this.#isAccepted ? passing(error) : error
    }
  }

  async #keyed(url: string, call: Call): Promise<{ readonly status: number; readonly json: unknown }> {
    const keyed = { ...call, headers: { ...call.headers, 'idempotency-key': uuidV7(this.#ports.clock) } }
    try {
      return await this.#exchange(url, keyed)
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error
      return await this.#exchange(url, keyed)
    }
  }

  async #exchange(
    url: string,
    { method, headers, body, what, expected = [] }: Omit<Call, 'path'>
  ): Promise<{ readonly status: number; readonly json: unknown }> {
    const text = body === undefined ? {} : { body: stringifyJson(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const { answer, token } = await this.#authorized(async authorization => {
      return await this.#ports.transport.send({
        method,
        url,
        headers: { ...headers, ...type, ...authorization },
        ...text
      })
    })
    const { status } = answer
    if (status >= 200 && status < 300)
      return { status, json: answer.body === '' ? undefined : parsed(answer.body, what) }
    const refusal = jsonOf(answer.body)
    // What is not there only the catalog itself can tell: whatever stands before it knows no tables.
    if (status === 404 && expected.includes(404) && !isProtocolError(refusal)) throw unreadable(`${what}: HTTP 404`)
    if (expected.includes(status)) return { status, json: undefined }
    const said = parseRefusal(status, refusal)
    // A catalog may repeat what it was given.
    const message = token === undefined ? said.message : said.message?.replaceAll(token, '***')
    throw refusalError({ ...said, message }, what)
  }

  /** A token that the catalog refuses (401, or 419 when it has expired) is replaced, once. */
  async #authorized(
    send: (authorization: Readonly<Record<string, string>>) => Promise<HttpAnswer>
  ): Promise<{ readonly answer: HttpAnswer; readonly token: string | undefined }> {
    const { tokens } = this.#ports
    const header = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` })
    const token = await tokens.get()
    const answer = await send(header(token))
    if (token === undefined || (answer.status !== 401 && answer.status !== 419)) return { answer, token }
    const renewed = await tokens.get(token)
    return { answer: await send(header(renewed)), token: renewed }
  }

  async #loaded(json: unknown): Promise<LoadedTable> {
    return loadedTable(json, (await this.#configured()).properties)
  }

  async #namespacePath(namespace: readonly string[]): Promise<string> {
    const { namespaceSeparator } = await this.#configured()
    return namespace.map(encodeURIComponent).join(namespaceSeparator)
  }

  async #tablePath({ namespace, name }: TableName): Promise<string> {
    return `namespaces/${await this.#namespacePath(namespace)}/tables/${encodeURIComponent(name)}`
  }
}

const fullName = ({ namespace, name }: TableName): string => [...namespace, name].join('.')

const changeOf = ({ namespace, name }: TableName, { requirements, updates }: TableChange): object => ({
  identifier: { namespace, name },
  requirements,
  updates
})

function parsed(text: string, what: string): unknown {
  const json = jsonOf(text)
  if (json === undefined) throw unreadable(what)
  return json
}
