import { type Clock } from '../../lib/clock.ts'
import { RetryableError } from '../../lib/errors.ts'
import { type ObjectStore, type StoredObject } from '../../consumer/store/object-store.ts'

/** What goes wrong with one operation: before it takes effect, after it, or it takes effect later. */
export type Fault = 'before' | 'after' | 'delayed'

export interface Operation {
  readonly kind: 'get' | 'put' | 'putIfAbsent' | 'list' | 'delete'
  readonly path: string
}

export interface MemoryStoreOptions {
  /** Asked before every operation. */
  readonly fault?: (operation: Operation) => Fault | undefined
  /** Awaited before and after each operation takes effect: where a scheduler interleaves, or kills. */
  readonly pause?: (operation: Operation, moment: 'before' | 'after') => Promise<void>
  readonly clock?: Pick<Clock, 'now'>
}

/** An object store in memory with the guarantees of S3, and its troubles on demand. Several clients may share `objects`. */
export class MemoryStore implements ObjectStore {
  readonly location = 'memory:'
  readonly objects: Map<string, { readonly bytes: Buffer; readonly modifiedMs: number }>
  readonly #options: MemoryStoreOptions
  readonly #delayed: (() => void)[] = []

  constructor(options: MemoryStoreOptions = {}, objects = new Map<string, { bytes: Buffer; modifiedMs: number }>()) {
    this.#options = options
    this.objects = objects
  }

  /** Lets effects that were delayed happen now. */
  settle(): void {
    for (const effect of this.#delayed.splice(0)) effect()
  }

  async get(path: string): Promise<Buffer | undefined> {
    return await this.#run({ kind: 'get', path }, () => this.objects.get(path)?.bytes)
  }

  async getRange(path: string, start: number, end: number): Promise<Buffer | undefined> {
    return await this.#run({ kind: 'get', path }, () => this.objects.get(path)?.bytes.subarray(start, end))
  }

  async size(path: string): Promise<number | undefined> {
    return await this.#run({ kind: 'get', path }, () => this.objects.get(path)?.bytes.length)
  }

  async put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    const bytes = Buffer.concat(parts)
    await this.#run({ kind: 'put', path }, () => void this.objects.set(path, this.#object(bytes)))
  }

  async putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    const bytes = Buffer.concat(chunks)
    return await this.#run({ kind: 'putIfAbsent', path }, () => {
      if (this.objects.has(path)) return 'exists'
      this.objects.set(path, this.#object(bytes))
      return 'created'
    })
  }

  async *list(prefix: string, startAfter = ''): AsyncIterable<StoredObject> {
    const found = await this.#run({ kind: 'list', path: prefix }, () =>
      [...this.objects].filter(([path]) => path.startsWith(prefix) && path > startAfter)
    )
    for (const [path, { bytes, modifiedMs }] of found.sort(([a], [b]) => (a < b ? -1 : 1))) {
      yield { path, sizeBytes: bytes.length, modifiedMs }
    }
  }

  async delete(path: string): Promise<void> {
    await this.#run({ kind: 'delete', path }, () => void this.objects.delete(path))
  }

  async close(): Promise<void> {}

  #object(bytes: Buffer) {
    return { bytes, modifiedMs: this.#options.clock?.now() ?? 0 }
  }

  async #run<T>(operation: Operation, effect: () => T): Promise<T> {
    const { pause, fault } = this.#options
    await pause?.(operation, 'before')
    const trouble = fault?.(operation)
    if (trouble === 'delayed') this.#delayed.push(effect)
    const result = trouble === 'before' || trouble === 'delayed' ? undefined : effect()
    await pause?.(operation, 'after')
    if (trouble !== undefined)
      throw new RetryableError('StoreFault', `injected ${trouble} ${operation.kind} ${operation.path}`)
    return result as T
  }
}
