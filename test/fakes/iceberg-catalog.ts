import type { Catalog, LoadedTable, TableName } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import type { TableChange } from '../../consumer/sinks/iceberg/commit.ts'
import { FatalError } from '../../lib/errors.ts'
import { applyChange, newTable, type CreateJson, type TableJson } from './iceberg-metadata.ts'

export interface MemoryCatalogOptions {
  /** Where tables lie whose maker does not say. */
  readonly warehouse?: string
  /** Whether it changes several tables at once. */
  readonly hasTransactions?: boolean
  readonly nowMs?: () => number
}

/** A catalog in memory that answers as the protocol's reference server does. Many clients may share it. */
export class MemoryCatalog implements Catalog {
  readonly tables = new Map<string, TableJson>()
  readonly namespaces = new Set<string>()
  readonly #options: MemoryCatalogOptions
  #created = 0

  constructor(options: MemoryCatalogOptions = {}) {
    this.#options = options
  }

  async hasTransactions(): Promise<boolean> {
    return this.#options.hasTransactions === true
  }

  async createNamespace(namespace: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= namespace.length; depth++) this.namespaces.add(namespace.slice(0, depth).join('.'))
  }

  async createTable(table: TableName, request: object): Promise<LoadedTable | 'exists'> {
    const key = keyOf(table)
    if (!this.namespaces.has(table.namespace.join('.'))) throw new Error(`namespace of ${key} does not exist`)
    if (this.tables.has(key)) return 'exists'
    const location = `${this.#options.warehouse ?? 'file:///warehouse'}/${key.replaceAll('.', '/')}`
    this.tables.set(
      key,
      newTable(structuredClone(request) as CreateJson, { uuid: this.#nextUuid(), location, nowMs: this.#nowMs() })
    )
    return this.#loaded(key)
  }

  async loadTable(table: TableName): Promise<LoadedTable | undefined> {
    return this.tables.has(keyOf(table)) ? this.#loaded(keyOf(table)) : undefined
  }

  async commitTable(
    table: TableName,
    change: TableChange
  ): Promise<{ readonly metadata: unknown } | 'conflict' | 'gone'> {
    const outcome = this.#applied([{ table, change }])
    if (typeof outcome === 'string') return outcome
    for (const [key, metadata] of outcome) this.tables.set(key, metadata)
    return { metadata: this.#loaded(keyOf(table)).metadata }
  }

  async commitTransaction(
    changes: readonly { readonly table: TableName; readonly change: TableChange }[]
  ): Promise<'committed' | 'conflict' | 'gone'> {
    if (this.#options.hasTransactions !== true) throw new FatalError('CatalogLacksOperation', 'HTTP 404')
    const outcome = this.#applied(changes)
    if (typeof outcome === 'string') return outcome
    for (const [key, metadata] of outcome) this.tables.set(key, metadata)
    return 'committed'
  }

  async close(): Promise<void> {}

  /** All requirements are looked at before anything changes. */
  #applied(
    changes: readonly { readonly table: TableName; readonly change: TableChange }[]
  ): ReadonlyMap<string, TableJson> | 'conflict' | 'gone' {
    const after = new Map<string, TableJson>()
    for (const { table, change } of changes) {
      const key = keyOf(table)
      const before = this.tables.get(key)
      if (before === undefined) return 'gone'
      const metadata = structuredClone(before)
      if (!applyChange(metadata, change, this.#nowMs())) return 'conflict'
      after.set(key, metadata)
    }
    return after
  }

  #loaded(key: string): LoadedTable {
    return { metadata: structuredClone(this.tables.get(key)), config: {}, storageCredentials: [] }
  }

  #nextUuid(): string {
    return `00000000-0000-4000-8000-${String(++this.#created).padStart(12, '0')}`
  }

  #nowMs(): number {
    return this.#options.nowMs?.() ?? Date.now()
  }
}

const keyOf = ({ namespace, name }: TableName): string => [...namespace, name].join('.')
