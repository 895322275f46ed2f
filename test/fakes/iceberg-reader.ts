import { decodeContainer } from '../../consumer/avro/container.ts'
import { readParquet } from './delta-reader.ts'
import type { TableJson } from './iceberg-metadata.ts'

export type IcebergRow = Readonly<Record<string, unknown>>

export interface IcebergRows {
  /** Snapshots that the table still names. */
  readonly snapshots: number
  readonly rows: readonly IcebergRow[]
  /** Live files by their URIs. */
  readonly files: readonly string[]
}

/** Gives the bytes of an object by its URI. */
export type ReadFile = (uri: string) => Promise<Buffer | undefined>

interface ManifestEntry {
  readonly manifest_path: string
  readonly manifest_length: number
  readonly content: number
}

interface FileEntry {
  readonly status: number
  readonly data_file: {
    readonly file_path: string
    readonly file_size_in_bytes: number
    readonly record_count: number
  }
}

const DELETED = 2

/**
 * All live rows of an Iceberg table's main branch, from its metadata on. Knows nothing of the writer's code but Avro and
 * Parquet, so that both cannot be wrong alike. Throws when a file is missing, is not as large or has not as many rows as said.
 */
export async function readIcebergRows(metadata: TableJson | undefined, read: ReadFile): Promise<IcebergRows> {
  const current = metadata?.snapshots.find(each => each['snapshot-id'] === metadata['current-snapshot-id'])
  const snapshots = metadata?.snapshots.length ?? 0
  if (current === undefined) return { snapshots, rows: [], files: [] }
  const rows: IcebergRow[] = []
  const files = new Set<string>()
  const list = await need(read, current['manifest-list'])
  for (const manifest of decodeContainer(list).records as readonly ManifestEntry[]) {
    const bytes = await need(read, manifest.manifest_path, manifest.manifest_length)
    for (const { status, data_file: file } of decodeContainer(bytes).records as readonly FileEntry[]) {
      if (status === DELETED) continue
      if (files.has(file.file_path)) throw new Error(`${file.file_path} is live twice`)
      files.add(file.file_path)
      const found = await readParquet(await need(read, file.file_path, file.file_size_in_bytes))
      if (found.length !== file.record_count)
        throw new Error(`${file.file_path} has ${found.length} rows, its manifest says ${file.record_count}`)
      for (const row of found) rows.push(row)
    }
  }
  const said = current.summary['total-records']
  if (said !== undefined && Number(said) !== rows.length)
    throw new Error(`there are ${rows.length} rows, the summary says ${said}`)
  return { snapshots, rows, files: [...files] }
}

async function need(read: ReadFile, uri: string, bytes?: number): Promise<Buffer> {
  const found = await read(uri)
  if (found === undefined) throw new Error(`${uri} is named but not in the store`)
  if (bytes !== undefined && found.length !== bytes)
    throw new Error(`${uri} has ${found.length} bytes, it is said to have ${bytes}`)
  return found
}
