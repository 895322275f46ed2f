import type { Log } from '../../lib/log.ts'
import type { RecordBatch } from '../record-batch.ts'
import type { Chunk, Fetcher } from './fetcher.ts'
import { ChecksumError } from './record-set.ts'

/** Decompressed bytes that are handed over at once, but for a single batch that is larger. */
const MAX_BYTES = 4 << 20
/** A batch whose checksum fails this often, fetched anew each time, is so on the broker's disk. */
const CHECKSUM_ATTEMPTS = 3

/** Turns what was fetched into batches, a few at a time: each is decompressed when it is handed over, once. */
export class Handover {
  readonly #fetcher: Pick<Fetcher, 'take' | 'wake' | 'hasData'>
  readonly #log: Log
  #chunk: Chunk | undefined

  constructor(fetcher: Pick<Fetcher, 'take' | 'wake' | 'hasData'>, log: Log) {
    this.#fetcher = fetcher
    this.#log = log
  }

  get hasData(): boolean {
    return this.#chunk !== undefined || this.#fetcher.hasData
  }

  take(): readonly RecordBatch[] {
    const batches: RecordBatch[] = []
    for (let bytes = 0; bytes < MAX_BYTES;) {
      this.#chunk ??= this.#fetcher.take()
      if (this.#chunk === undefined) break
      const batch = this.#next(this.#chunk)
      if (batch === undefined) {
        this.#chunk = undefined
        continue
      }
      bytes += batch.records.length
      batches.push(batch)
    }
    return batches
  }

  /** Undefined at the end of the chunk, or where the rest of it is not wanted. */
  #next({ cursor, version, records }: Chunk): RecordBatch | undefined {
    if (cursor.version !== version) return undefined
    try {
      const batch = records.next(cursor.checksumFailures >= CHECKSUM_ATTEMPTS - 1)
      if (batch === undefined) {
        cursor.pending--
        return undefined
      }
      cursor.position = batch.nextOffset
      cursor.checksumFailures = 0
      return batch
    } catch (error) {
      if (!(error instanceof ChecksumError)) throw error
      this.#log.warn('fetching a batch again', { partition: cursor.id }, error)
      cursor.checksumFailures++
      cursor.rewind(records.nextOffset)
      this.#fetcher.wake()
      return undefined
    }
  }
}
