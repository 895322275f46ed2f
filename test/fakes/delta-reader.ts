import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import type { ObjectStore } from '../../consumer/store/object-store.ts'

/** A row with its partition values; 64-bit integers are numbers where they can be. */
export type DeltaRow = Readonly<Record<string, unknown>>

export interface DeltaRows {
  /** The newest version; -1 when there is no table. */
  readonly version: number
  readonly rows: readonly DeltaRow[]
  /** Live files, as the log names them. */
  readonly files: readonly string[]
}

export interface ReadOptions {
  /** Binary columns as Uint8Arrays; by default they are taken for text. */
  readonly binary?: boolean
}

interface AddAction {
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
}

/**
 * All live rows of a Delta table, read from its log's first entry on. Knows nothing of the writer's code, so that both
 * cannot be wrong alike. Throws when a file is missing or not as large as the log says.
 */
export async function readDeltaRows(store: ObjectStore, folder: string, options: ReadOptions = {}): Promise<DeltaRows> {
  const { version, live } = await replay(store, folder)
  const rows: DeltaRow[] = []
  for (const { path, partitionValues, size } of live.values()) {
    const bytes = await store.get(`${folder}/${decodeURIComponent(path)}`)
    if (bytes === undefined) throw new Error(`${folder}/${path} is in the log but not in the store`)
    if (bytes.length !== size) throw new Error(`${folder}/${path} has ${bytes.length} bytes, the log says ${size}`)
    for (const row of await readParquet(bytes, options)) rows.push({ ...row, ...partitionValues })
  }
  return { version, rows, files: [...live.keys()] }
}

async function replay(store: ObjectStore, folder: string) {
  const live = new Map<string, AddAction>()
  for (let version = 0; ; version++) {
    const entry = await store.get(`${folder}/_delta_log/${String(version).padStart(20, '0')}.json`)
    if (entry === undefined) return { version: version - 1, live }
    for (const line of entry.toString().split('\n')) {
      if (line === '') continue
      const { add, remove } = JSON.parse(line) as { add?: AddAction; remove?: { path: string } }
      if (add !== undefined && live.has(add.path)) throw new Error(`${add.path} is added twice`)
      if (add !== undefined) live.set(add.path, add)
      if (remove !== undefined) live.delete(remove.path)
    }
  }
}

/** All rows of a Parquet file. */
export async function readParquet(bytes: Buffer, { binary = false }: ReadOptions = {}): Promise<readonly DeltaRow[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  const rows = await parquetReadObjects({
    file,
    utf8: !binary,
    compressors: { ZSTD: input => zstdDecompressSync(input), GZIP: input => gunzipSync(input) }
  })
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) row[name] = Number(value)
    }
  }
  return rows
}
