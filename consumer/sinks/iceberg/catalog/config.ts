import { fieldOf, stringsOf, textAt } from './answer.ts'

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
  const properties = { ...stringsOf(fieldOf(json, 'defaults')), ...stringsOf(fieldOf(json, 'overrides')) }
  const told = fieldOf(json, 'endpoints')
  const endpoints = Array.isArray(told) ? told.map(String) : []
  const prefix = properties['prefix']?.replaceAll(/^\/+|\/+$/g, '') ?? ''
  return {
    // Some catalogs give it encoded, some do not.
    prefix: prefix === '' ? '' : `${encodeURI(prefix).replaceAll('%25', '%')}/`,
    namespaceSeparator: properties['namespace-separator'] ?? DEFAULT_SEPARATOR,
    hasTransactions: endpoints.includes(TRANSACTIONS) && !endpoints.includes(REFERENCE_SERVER),
    keepsKeys: [json, properties].some(each => textAt(each, 'idempotency-key-lifetime') !== undefined),
    properties
  }
}
