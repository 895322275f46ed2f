import { RetryableError } from '../../lib/errors.ts'
import type { ObjectStore, StoredObject } from '../../consumer/store/object-store.ts'

type StoreOperation = 'get' | 'getRange' | 'size' | 'put' | 'putIfAbsent' | 'copy' | 'list' | 'folders' | 'delete'
type CatalogOperation = 'createNamespace' | 'createTable' | 'loadTable' | 'commitTable' | 'commitTransaction'
type SessionOperation = 'statement' | 'close'
type ChannelOperation = 'open' | 'append' | 'statuses'
type LedgerOperation = 'refresh' | 'read' | 'take' | 'confirm' | 'holders' | 'pin' | 'move' | 'settle' | 'deleteLetters'

export interface Operation {
  readonly kind: StoreOperation | CatalogOperation | SessionOperation | ChannelOperation | LedgerOperation
  /** Of the object, the name of the table or channel, or the statement. */
  readonly path: string
}

/** An operation fails before it takes effect, after it, or takes effect only when `settle` is called. */
export type Fault = 'before' | 'after' | 'delayed'

/** A client's view of a store, with trouble on demand. */
export class FaultyStore implements ObjectStore {
  readonly location: string
  /** Asked before each operation; replaced at will. */
  fault: (operation: Operation) => Fault | undefined = () => undefined
  readonly #store: ObjectStore
  readonly #delayed: (() => Promise<unknown>)[] = []

  constructor(store: ObjectStore) {
    this.#store = store
    this.location = store.location
  }

  /** Lets what was delayed take effect now, in order. */
  async settle(): Promise<void> {
    for (const effect of this.#delayed.splice(0)) await effect()
  }

  async get(path: string): Promise<Buffer | undefined> {
    return await this.#run({ kind: 'get', path }, async () => await this.#store.get(path))
  }

  async getRange(path: string, start: number, end: number): Promise<Buffer | undefined> {
    return await this.#run({ kind: 'getRange', path }, async () => await this.#store.getRange(path, start, end))
  }

  async size(path: string): Promise<number | undefined> {
    return await this.#run({ kind: 'size', path }, async () => await this.#store.size(path))
  }

  async put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    await this.#run({ kind: 'put', path }, async () => await this.#store.put(path, chunks))
  }

  async putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    return await this.#run({ kind: 'putIfAbsent', path }, async () => await this.#store.putIfAbsent(path, chunks))
  }

  /** The path of the operation is that of the new object. */
  async copy(from: string, to: string): Promise<boolean> {
    return await this.#run({ kind: 'copy', path: to }, async () => await this.#store.copy(from, to))
  }

  async *list(prefix: string, startAfter?: string, limit?: number): AsyncIterable<StoredObject> {
    await this.#run({ kind: 'list', path: prefix }, async () => {})
    yield* this.#store.list(prefix, startAfter, limit)
  }

  async folders(folder: string): Promise<readonly string[]> {
    return await this.#run({ kind: 'folders', path: folder }, async () => await this.#store.folders(folder))
  }

  async delete(path: string): Promise<void> {
    await this.#run({ kind: 'delete', path }, async () => await this.#store.delete(path))
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #run<T>(operation: Operation, effect: () => Promise<T>): Promise<T> {
    const fault = this.fault(operation)
    if (fault === undefined) return await effect()
    if (fault === 'after') await effect()
    if (fault === 'delayed') this.#delayed.push(effect)
    throw new RetryableError('StoreFault', `${operation.kind} ${operation.path} failed (${fault})`)
  }
}
