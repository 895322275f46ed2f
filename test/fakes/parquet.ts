import { parquetReadObjects } from 'hyparquet'
import { zstdDecompressSync } from 'node:zlib'
import { type EncodedFile } from '../../consumer/parquet/file.ts'

/** The rows of a file, read by code that is not ours: bytes stay bytes, timestamps are Dates, 64-bit integers bigints. */
export async function rowsOf({ chunks }: EncodedFile): Promise<Record<string, unknown>[]> {
  const file = new Uint8Array(Buffer.concat(chunks)).buffer
  const rows = await parquetReadObjects({
    file,
    utf8: false,
    compressors: { ZSTD: input => zstdDecompressSync(input) }
  })
  return rows as Record<string, unknown>[]
}
