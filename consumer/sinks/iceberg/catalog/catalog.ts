import type { TableChange } from '../commit.ts'

/** A table in a catalog: `a.b.c` is the table `c` of the namespace `a.b`. */
export interface TableName {
  readonly namespace: readonly string[]
  readonly name: string
}

/** A table as the catalog tells it. */
export interface LoadedTable {
  /** Table metadata as the spec's JSON (Appendix C); integers beyond 2^53 are bigints. */
  readonly metadata: unknown
  /** What a client should know to reach the table's files: `s3.endpoint`, `client.region`, credentials. */
  readonly config: Readonly<Record<string, string>>
  /** Credentials for locations that begin with `prefix`; they go before `config`. */
  readonly storageCredentials: readonly {
    readonly prefix: string
    readonly config: Readonly<Record<string, string>>
  }[]
}

/**
 * An Iceberg catalog, as far as a sink needs it. Every method throws RetryableError for trouble that may pass and FatalError
 * for what a person must mend. After a RetryableError from a method that changes something the outcome is unknown.
 */
export interface Catalog {
  /** Whether it promises that changes of several tables become visible in one step. */
  hasTransactions(): Promise<boolean>
  /** Creates the namespace and those above it; they may exist. */
  createNamespace(namespace: readonly string[]): Promise<void>
  /** Creates a table from a `CreateTableRequest`; `exists` when the name is taken. */
  createTable(table: TableName, request: object): Promise<LoadedTable | 'exists'>
  /** Undefined when there is no such table. */
  loadTable(table: TableName): Promise<LoadedTable | undefined>
  /**
   * Gives the metadata after the change. `conflict`: a requirement did not hold, usually since another was faster; but it
   * may have been our own request, sent twice on the way. `gone`: there is no such table.
   */
  commitTable(table: TableName, change: TableChange): Promise<{ readonly metadata: unknown } | 'conflict' | 'gone'>
  /** Several tables at once. A catalog may break its promise: look at the tables afterwards. */
  commitTransaction(
    changes: readonly { readonly table: TableName; readonly change: TableChange }[]
  ): Promise<'committed' | 'conflict' | 'gone'>
  close(): Promise<void>
}

/** What `bronze clean` needs beside it; no sink ever drops a table. */
export interface DroppingCatalog extends Catalog {
  /** With its files, if the catalog deletes any; else they stay where they are. */
  dropTable(table: TableName, withFiles: boolean): Promise<'dropped' | 'gone'>
}

/** `a.b.c` as a catalog's client names it. */
export function tableName(name: string): TableName {
  const parts = name.split('.')
  return { namespace: parts.slice(0, -1), name: parts.at(-1) ?? name }
}
