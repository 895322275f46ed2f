import type { ObjectStore, StoredObject } from '../../consumer/store/object-store.ts'

/** An object store in memory with the guarantees of S3. */
export class MemoryStore implements ObjectStore {
  readonly location = 'memory:'
  readonly objects = new Map<string, { readonly bytes: Buffer; readonly modifiedMs: number }>()

  async get(path: string): Promise<Buffer | undefined> {
    return this.objects.get(path)?.bytes
  }

  async getRange(path: string, start: number, end: number): Promise<Buffer | undefined> {
    return this.objects.get(path)?.bytes.subarray(start, end)
  }

  async size(path: string): Promise<number | undefined> {
    return this.objects.get(path)?.bytes.length
  }

  async put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    this.objects.set(path, { bytes: Buffer.concat(parts), modifiedMs: 0 })
  }

  async putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'> {
    if (this.objects.has(path)) return 'exists'
    this.objects.set(path, { bytes: Buffer.concat(chunks), modifiedMs: 0 })
    return 'created'
  }

  async copy(from: string, to: string): Promise<boolean> {
    const found = this.objects.get(from)
    if (found !== undefined) this.objects.set(to, found)
    return found !== undefined
  }

  async *list(prefix: string, startAfter = '', limit = Infinity): AsyncIterable<StoredObject> {
    const found = [...this.objects].filter(([path]) => path.startsWith(prefix) && path > startAfter)
    for (const [path, { bytes, modifiedMs }] of found.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit)) {
      yield { path, sizeBytes: bytes.length, modifiedMs }
    }
  }

  async folders(folder: string): Promise<readonly string[]> {
    const inside = [...this.objects.keys()]
      .filter(path => path.startsWith(folder))
      .map(path => path.slice(folder.length))
    return [...new Set(inside.filter(path => path.includes('/')).map(path => path.slice(0, path.indexOf('/'))))]
  }

  async delete(path: string): Promise<void> {
    this.objects.delete(path)
  }

  async close(): Promise<void> {}
}
