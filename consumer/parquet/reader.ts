import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { FatalError, RetryableError, errorText } from '../../lib/errors.ts'
import type { ObjectStore } from '../store/object-store.ts'

/** Rows decoded at once, which bounds memory whatever the size of a row group. */
const WINDOW_ROWS = 20_000

export type ParquetRow = Readonly<Record<string, unknown>>

const compressors = {
  GZIP: (input: Uint8Array) => gunzipSync(input),
  ZSTD: (input: Uint8Array) => zstdDecompressSync(input),
  BROTLI: (input: Uint8Array) => brotliDecompressSync(input)
}

/**
 * Reads a Parquet object by ranges, only the named top-level columns, a window of rows at a time. 64-bit integers come as
 * bigint. Undefined when the object is absent; FatalError `ParquetUnreadable` when it is no Parquet file we can read.
 */
export async function openParquet(store: ObjectStore, path: string): Promise<ParquetFile | undefined> {
  const sizeBytes = await store.size(path)
  if (sizeBytes === undefined) return undefined
  const file: AsyncBuffer = {
    byteLength: sizeBytes,
    slice: async (start, end = sizeBytes) => {
      const bytes = await store.getRange(path, start, end)
      if (bytes?.length !== end - start)
        throw new RetryableError('ObjectChanged', `${store.location}${path} changed while it was read`)
      const { buffer, byteOffset, byteLength } = bytes
      return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength)
    }
  }
  const metadata = await guarded(path, async () => await parquetMetadataAsync(file))
  return new ParquetFile(path, file, metadata)
}

export class ParquetFile {
  readonly #path: string
  readonly #file: AsyncBuffer
  readonly #metadata: FileMetaData

  constructor(path: string, file: AsyncBuffer, metadata: FileMetaData) {
    this.#path = path
    this.#file = file
    this.#metadata = metadata
  }

  get rowCount(): number {
    return Number(this.#metadata.num_rows)
  }

  get columns(): readonly string[] {
    const [root] = this.#metadata.schema
    const names: string[] = []
    let index = 1
    for (let child = 0; child < (root?.num_children ?? 0); child++) {
      names.push(this.#metadata.schema[index]?.name ?? '')
      index = this.#afterElement(index)
    }
    return names
  }

  /** Rows in order; wanted columns that the file lacks are undefined. */
  async *rows(wanted?: readonly string[]): AsyncIterable<ParquetRow> {
    const has = new Set(this.columns)
    const columns = (wanted ?? this.columns).filter(column => has.has(column))
    if (columns.length === 0) return
    let groupStart = 0
    for (const group of this.#metadata.row_groups) {
      const groupEnd = groupStart + Number(group.num_rows)
      const isEmpty =
        wanted !== undefined &&
        group.columns.every(({ meta_data: chunk }) => {
          if (chunk === undefined || !columns.includes(chunk.path_in_schema[0] ?? '')) return true
          return chunk.statistics?.null_count !== undefined && chunk.statistics.null_count === chunk.num_values
        })
      for (let rowStart = groupStart; !isEmpty && rowStart < groupEnd; rowStart += WINDOW_ROWS) {
        const rowEnd = Math.min(groupEnd, rowStart + WINDOW_ROWS)
        yield* await guarded(
          this.#path,
          async () =>
            await parquetReadObjects({
              file: this.#file,
              metadata: this.#metadata,
              columns,
              rowStart,
              rowEnd,
              compressors
            })
        )
      }
      groupStart = groupEnd
    }
  }

  #afterElement(index: number): number {
    let next = index + 1
    for (let child = 0; child < (this.#metadata.schema[index]?.num_children ?? 0); child++)
      next = this.#afterElement(next)
    return next
  }
}

/** Trouble of the store passes through; what the bytes are to blame for is fatal. */
async function guarded<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof RetryableError || error instanceof FatalError) throw error
    throw new FatalError('ParquetUnreadable', `${path} cannot be read as Parquet: ${errorText(error)}`, {
      cause: error
    })
  }
}
