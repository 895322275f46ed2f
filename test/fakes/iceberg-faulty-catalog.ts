import type { Catalog, LoadedTable, TableName } from '../../consumer/sinks/iceberg/catalog/catalog.ts'
import type { TableChange } from '../../consumer/sinks/iceberg/commit.ts'
import { RetryableError } from '../../lib/errors.ts'
import type { Fault, Operation } from './faulty-store.ts'

/** A client's view of a catalog, with trouble on demand. */
export class FaultyCatalog implements Catalog {
  /** Asked before each operation; replaced at will. */
  fault: (operation: Operation) => Fault | undefined = () => undefined
  readonly #catalog: Catalog
  readonly #delayed: (() => Promise<unknown>)[] = []

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Lets what was delayed take effect now, in order. */
  async settle(): Promise<void> {
    for (const effect of this.#delayed.splice(0)) await effect()
  }

  async hasTransactions(): Promise<boolean> {
    return await this.#catalog.hasTransactions()
  }

  async createNamespace(namespace: readonly string[]): Promise<void> {
    const operation: Operation = { kind: 'createNamespace', path: namespace.join('.') }
    await this.#run(operation, async () => await this.#catalog.createNamespace(namespace))
  }

  async createTable(table: TableName, request: object): Promise<LoadedTable | 'exists'> {
    const operation: Operation = { kind: 'createTable', path: pathOf(table) }
    return await this.#run(operation, async () => await this.#catalog.createTable(table, request))
  }

  async loadTable(table: TableName): Promise<LoadedTable | undefined> {
    const operation: Operation = { kind: 'loadTable', path: pathOf(table) }
    return await this.#run(operation, async () => await this.#catalog.loadTable(table))
  }

  async commitTable(
    table: TableName,
    change: TableChange
  ): Promise<{ readonly metadata: unknown } | 'conflict' | 'gone'> {
    const operation: Operation = { kind: 'commitTable', path: pathOf(table) }
    return await this.#run(operation, async () => await this.#catalog.commitTable(table, change))
  }

  async commitTransaction(
    changes: readonly { readonly table: TableName; readonly change: TableChange }[]
  ): Promise<'committed' | 'conflict' | 'gone'> {
    const operation: Operation = { kind: 'commitTransaction', path: changes.map(({ table }) => pathOf(table)).join() }
    return await this.#run(operation, async () => await this.#catalog.commitTransaction(changes))
  }

  async close(): Promise<void> {
    await this.#catalog.close()
  }

  async #run<T>(operation: Operation, effect: () => Promise<T>): Promise<T> {
    const fault = this.fault(operation)
    if (fault === undefined) return await effect()
    if (fault === 'after') await effect()
    if (fault === 'delayed') this.#delayed.push(effect)
    throw new RetryableError('CatalogFault', `${operation.kind} ${operation.path} failed (${fault})`)
  }
}

const pathOf = ({ namespace, name }: TableName): string => [...namespace, name].join('.')
