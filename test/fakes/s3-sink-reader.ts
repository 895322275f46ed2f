import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { ObjectStore } from '../../consumer/store/object-store.ts'
import { readParquet } from './delta-reader.ts'

export type ObjectRow = Readonly<Record<string, unknown>>

interface Named {
  readonly path: string
  readonly rows: number
  readonly bytes: number
}

interface Commit {
  readonly topic: string
  readonly expected: number | null
  readonly next: number
  readonly objects: readonly Named[]
  readonly deadLetters: readonly (Named & { readonly table: string })[]
}

/**
 * What readers that trust commit objects see of a table and of the dead letters that its commits name, by dead-letter table. Knows
 * nothing of the writer's code. Throws when an object is missing, is not as its commit says, or when commits do not follow each other.
 */
export async function readCommitted(
  store: ObjectStore,
  table: string
): Promise<{
  readonly rows: readonly ObjectRow[]
  readonly deadLetters: ReadonlyMap<string, readonly ObjectRow[]>
  readonly commits: number
}> {
  const chains = new Map<string, Commit[]>()
  for await (const { path } of store.list(`${table.replaceAll('.', '/')}/_bronze/commits/`)) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    const commit = JSON.parse(String(await store.get(path))) as Commit
    chains.set(folder, [...(chains.get(folder) ?? []), commit])
  }
  const rows: ObjectRow[] = []
  const deadLetters = new Map<string, ObjectRow[]>()
  let commits = 0
  for (const [folder, newestFirst] of chains) {
    let end: number | null = null
    for (const { expected, next, objects, deadLetters: bad } of newestFirst.toReversed()) {
      if (expected !== end)
        throw new Error(`${folder}: a commit expects ${expected} where the one before ended at ${end}`)
      end = next
      commits++
      for (const object of objects) rows.push(...(await readNamed(store, object)))
      for (const object of bad) {
        const known = deadLetters.get(object.table) ?? []
        deadLetters.set(object.table, [...known, ...(await readNamed(store, object))])
      }
    }
  }
  return { rows, deadLetters, commits }
}

/** What readers see that take all objects of a table's folder for its rows. */
export async function readByGlob(store: ObjectStore, table: string): Promise<readonly ObjectRow[]> {
  const rows: ObjectRow[] = []
  for await (const { path } of store.list(`${table.replaceAll('.', '/')}/`)) {
    if (/\.(?:parquet|ndjson\.zst|ndjson\.gz)$/.test(path)) rows.push(...(await readObject(store, path)))
  }
  return rows
}

async function readNamed(store: ObjectStore, { path, rows, bytes }: Named): Promise<readonly ObjectRow[]> {
  const found = await readObject(store, path)
  const size = await store.size(path)
  if (found.length !== rows || size !== bytes)
    throw new Error(`${path} has ${found.length} rows in ${size} bytes, its commit says ${rows} in ${bytes}`)
  return found
}

async function readObject(store: ObjectStore, path: string): Promise<readonly ObjectRow[]> {
  const bytes = await store.get(path)
  if (bytes === undefined) throw new Error(`${path} is not in the store`)
  if (path.endsWith('.parquet')) return await readParquet(bytes)
  const lines = path.endsWith('.zst') ? zstdDecompressSync(bytes) : gunzipSync(bytes)
  return String(lines)
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as ObjectRow)
}
