/**
 * Objects under one root. Paths are relative, with `/`, and already what the store should hold (no encoding here).
 * Every method throws RetryableError for trouble that may pass and FatalError for what cannot (access denied, no bucket).
 */
export interface ObjectStore {
  /** Where the root is, for people: `s3://bucket/prefix` or `file:///path`. Free of secrets. */
  readonly location: string
  get(path: string): Promise<Buffer | undefined>
  /** Bytes `start` to `end` (exclusive), fewer where the object ends before; undefined when it is absent. */
  getRange(path: string, start: number, end: number): Promise<Buffer | undefined>
  /** Size in bytes, or undefined when absent. */
  size(path: string): Promise<number | undefined>
  /**
   * Writes an object whole or not at all, over what may be there. Chunks are pulled as they can be sent: at most a few MiB
   * are held at once, however large the object is.
   */
  put(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>
  /**
   * Creates the object only if there is none, atomically and durably. A thrown RetryableError leaves the outcome
   * unknown: the object may or may not be there, now or in a moment.
   */
  putIfAbsent(path: string, chunks: readonly Uint8Array[]): Promise<'created' | 'exists'>
  /**
   * Copies an object within the store, whole or not at all, over what may be at `to`; its bytes do not pass through here.
   * False when `from` is absent.
   */
  copy(from: string, to: string): Promise<boolean>
  /**
   * Objects whose path starts with `prefix`, after `startAfter`, in order of their names (UTF-8 bytes); of these the first
   * `limit`, for which the store is then asked at once.
   */
  list(prefix: string, startAfter?: string, limit?: number): AsyncIterable<StoredObject>
  /** Names, without slashes, of the folders directly in `folder` (which is empty or ends in `/`) that hold objects; in no order. */
  folders(folder: string): Promise<readonly string[]>
  /** Absent is fine. */
  delete(path: string): Promise<void>
  close(): Promise<void>
}

export interface StoredObject {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}
