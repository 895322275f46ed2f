import { parquetReadObjects } from 'hyparquet'
import { zstdDecompressSync } from 'node:zlib'
import type { RowGroupBuffer } from '../../consumer/columns/row-group.ts'
import type { EncodedFile } from '../../consumer/parquet/file.ts'

/**
 * The rows of a file, read by code that is not ours. Binary values are Uint8Arrays, timestamps and dates Dates, 64-bit
 * integers bigints, maps objects; nulls are null at every depth.
 */
export async function rowsOf({ chunks }: EncodedFile): Promise<Record<string, unknown>[]> {
  const file = new Uint8Array(Buffer.concat(chunks)).buffer
  const rows = await parquetReadObjects({
    file,
    utf8: false,
    compressors: { ZSTD: input => zstdDecompressSync(input) }
  })
  return rows.map(row => withNulls(row) as Record<string, unknown>)
}

/** Pages of a row group with levels and values, to the byte. */
export const pagesOf = (rows: RowGroupBuffer) =>
  rows.chunks().map(({ leaf, pages, nullCount, min, max }) => ({
    name: leaf.name,
    nullCount,
    min,
    max,
    pages: pages.map(({ header, body }) => [Buffer.from(header).toString('hex'), Buffer.from(body).toString('hex')])
  }))

/** The reader says undefined for some nulls. */
function withNulls(value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (Array.isArray(value)) return value.map(withNulls)
  if (typeof value !== 'object' || value instanceof Uint8Array || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNulls(item)]))
}
