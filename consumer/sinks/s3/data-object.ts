import { Readable, pipeline } from 'node:stream'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import type { S3Sink } from '../../../crds/settled.ts'
import { invariant } from '../../../lib/errors.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import { ndjsonChunks } from '../../ndjson/encode.ts'
import { encodeParquet } from '../../parquet/file.ts'
import type { ObjectStore } from '../../store/object-store.ts'

export type ObjectFormat = Pick<S3Sink, 'format' | 'compression'>

/** By it readers know what an object is. */
export function suffixOf({ format, compression }: ObjectFormat): string {
  if (format === 'Parquet') return '.parquet'
  return compression === 'Zstd' ? '.ndjson.zst' : '.ndjson.gz'
}

/** Uploads the rows of groups of one schema, in their order. Memory: what the store holds, and one chunk of lines. */
export async function writeObject(
  store: ObjectStore,
  path: string,
  groups: readonly RowGroupBuffer[],
  format: ObjectFormat
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const [first] = groups
  invariant(first !== undefined, 'an object has rows')
  if (format.format === 'Parquet') {
    const { chunks, rows, sizeBytes } = encodeParquet(first.schema, groups)
    await store.put(path, chunks)
    return { rows, bytes: sizeBytes }
  }
  let bytes = 0
  const counted = async function* () {
    for await (const chunk of compressed(groups, format.compression)) {
      bytes += chunk.length
      yield chunk
    }
  }
  await store.put(path, counted())
  return { rows: groups.reduce((sum, group) => sum + group.rows, 0), bytes }
}

/** A window of 512 KiB: several objects are made at once, and each takes a few of these. */
const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: 19 }
}

function compressed(
  groups: readonly RowGroupBuffer[],
  compression: ObjectFormat['compression']
): AsyncIterable<Buffer> {
  const lines = Readable.from(linesOf(groups), { objectMode: false })
  const compress = compression === 'Zstd' ? createZstdCompress(ZSTD) : createGzip()
  // What fails comes out of `compress`, to whom reads it.
  pipeline(lines, compress, () => {})
  return compress
}

function* linesOf(groups: readonly RowGroupBuffer[]): Generator<Buffer> {
  for (const group of groups) for (const { bytes } of ndjsonChunks(group, { embedJson: true })) yield bytes
}
