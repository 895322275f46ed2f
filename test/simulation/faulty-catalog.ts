import type { Catalog, LoadedTable, TableName } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import type { TableChange } from '../../consumer/sinks/iceberg/commit.ts'
import type { FaultyCalls } from './faulty-calls.ts'

/** One process's view of a catalog that fails. */
export class FaultyCatalog implements Catalog {
  readonly #catalog: Catalog
  readonly #calls: FaultyCalls

  constructor(catalog: Catalog, calls: FaultyCalls) {
    this.#catalog = catalog
    this.#calls = calls
  }

  hasTransactions(): Promise<boolean> {
    return this.#catalog.hasTransactions()
  }

  createNamespace(namespace: readonly string[]): Promise<void> {
    return this.#calls.call(() => this.#catalog.createNamespace(namespace))
  }

  createTable(table: TableName, request: object): Promise<LoadedTable | 'exists'> {
    return this.#calls.call(() => this.#catalog.createTable(table, request))
  }

  loadTable(table: TableName): Promise<LoadedTable | undefined> {
    return this.#calls.call(() => this.#catalog.loadTable(table))
  }

  commitTable(table: TableName, change: TableChange): ReturnType<Catalog['commitTable']> {
    return this.#calls.call(() => this.#catalog.commitTable(table, change))
  }

  commitTransaction(
    changes: readonly { readonly table: TableName; readonly change: TableChange }[]
  ): ReturnType<Catalog['commitTransaction']> {
    return this.#calls.call(() => this.#catalog.commitTransaction(changes))
  }

  async close(): Promise<void> {}
}
