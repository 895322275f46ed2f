import type { ObjectStore, StoredObject } from '../../consumer/store/object-store.ts'
import type { FaultyCalls } from './faulty-calls.ts'

/** One process's view of a store that fails. */
export class FaultyStore implements ObjectStore {
  readonly location: string
  readonly #store: ObjectStore
  readonly #calls: FaultyCalls

  constructor(store: ObjectStore, calls: FaultyCalls) {
    this.location = store.location
    this.#store = store
    this.#calls = calls
  }

  get(path: string): Promise<Buffer | undefined> {
    return this.#calls.call(() => this.#store.get(path))
  }

  getRange(path: string, start: number, end: number): Promise<Buffer | undefined> {
    return this.#calls.call(() => this.#store.getRange(path, start, end))
  }

  size(path: string): Promise<number | undefined> {
    return this.#calls.call(() => this.#store.size(path))
  }

  put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    return this.#calls.call(() => this.#store.put(path, chunks))
  }

  putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    return this.#calls.call(() => this.#store.putIfAbsent(path, chunks))
  }

  copy(from: string, to: string): Promise<boolean> {
    return this.#calls.call(() => this.#store.copy(from, to))
  }

  async *list(prefix: string, startAfter?: string, limit?: number): AsyncIterable<StoredObject> {
    const found = await this.#calls.call(() => Array.fromAsync(this.#store.list(prefix, startAfter, limit)))
    yield* found
  }

  folders(folder: string): Promise<readonly string[]> {
    return this.#calls.call(() => this.#store.folders(folder))
  }

  delete(path: string): Promise<void> {
    return this.#calls.call(() => this.#store.delete(path))
  }

  async close(): Promise<void> {}
}
