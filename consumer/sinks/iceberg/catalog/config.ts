/** What `GET /v1/config` says, merged as the protocol asks: the catalog's defaults below its overrides. */
export interface CatalogConfig {
  /** Empty, or it ends with a slash; ready to stand in a path. */
  readonly prefix: string
  /** Stands between the parts of a namespace in a path, percent-encoded. */
  readonly namespaceSeparator: string
  readonly hasTransactions: boolean
  /** Whether the catalog keeps idempotency keys. */
  readonly keepsKeys: boolean
  readonly properties: Readonly<Record<string, string>>
}

const TRANSACTIONS = 'POST /v1/{prefix}/transactions/commit'
/**
 * Only the protocol's reference server for tests has this in its list. It commits the tables of a transaction one after
 * the other and drops a change that races with another writer's without a word: its promise is not one.
 */
const REFERENCE_SERVER = 'POST https://auth-server.com/token'
const DEFAULT_SEPARATOR = '%1F'

export function parseCatalogConfig(json: unknown): CatalogConfig {
  const answer = isObject(json) ? json : {}
  const properties = { ...stringsOf(answer['defaults']), ...stringsOf(answer['overrides']) }
  const endpoints = Array.isArray(answer['endpoints']) ? answer['endpoints'].map(String) : []
  const prefix = properties['prefix']?.replaceAll(/^\/+|\/+$/g, '') ?? ''
  return {
    // Some catalogs give it encoded, some do not.
    prefix: prefix === '' ? '' : `${encodeURI(prefix).replaceAll('%25', '%')}/`,
    namespaceSeparator: properties['namespace-separator'] ?? DEFAULT_SEPARATOR,
    hasTransactions: endpoints.includes(TRANSACTIONS) && !endpoints.includes(REFERENCE_SERVER),
    keepsKeys: [answer, properties].some(each => typeof each['idempotency-key-lifetime'] === 'string'),
    properties
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (typeof each === 'string' ? [[key, each]] : []))
  )
}
