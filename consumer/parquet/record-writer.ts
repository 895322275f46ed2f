import { zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { TableSchema } from '../columns/schema.ts'
import { shapeOf } from './leaves.ts'

/** Rows per row group; what is held at once. */
const GROUP_ROWS = 2_000

/**
 * Encodes records (plain objects shaped like the schema; 64-bit integers as bigint) as one Parquet file, a row group at a
 * time: for a table's own metadata, not for its data. Memory does not grow with the number of rows.
 */
export async function* encodeRecords(
  schema: TableSchema,
  rows: AsyncIterable<Readonly<Record<string, unknown>>>
): AsyncIterable<Uint8Array> {
  const bytes = new ByteWriter(1 << 20)
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [...shapeOf(schema).elements],
    codec: 'ZSTD',
    compressors: { ZSTD: input => zstdCompressSync(input) },
    createdBy: 'bronze-operator'
  })
  const names = schema.fields.map(({ name }) => name)
  const flush = async (group: readonly Readonly<Record<string, unknown>>[]): Promise<Uint8Array> => {
    const columnData = names.map(name => ({ name, data: group.map(row => row[name]) }))
    await writer.write({ columnData, rowGroupSize: GROUP_ROWS })
    return taken(bytes)
  }
  let group: Readonly<Record<string, unknown>>[] = []
  for await (const row of rows) {
    if (group.push(row) < GROUP_ROWS) continue
    yield await flush(group)
    group = []
  }
  if (group.length > 0) yield await flush(group)
  await writer.finish()
  yield taken(bytes)
}

/** Copies what was written and lets the writer fill its buffer anew; its count of all bytes goes on. */
function taken(writer: ByteWriter): Uint8Array {
  const chunk = writer.getBytes().slice()
  writer.index = 0
  return chunk
}
