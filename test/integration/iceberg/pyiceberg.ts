import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CatalogAddresses } from '../../servers/catalog.ts'
import { pyicebergProperties } from '../../servers/pyiceberg.ts'
import { pythonPath } from '../../servers/readers.ts'
import type { S3Addresses } from '../../servers/s3.ts'

const SCRIPT = fileURLToPath(new URL('./session.py', import.meta.url))

/** A table as pyiceberg and DuckDB see it. */
export interface ForeignView {
  /** Partition, rows, distinct offsets, least and greatest offset. */
  readonly offsets: readonly (readonly number[])[]
  readonly rows: number
  readonly columns: Readonly<Record<string, string>>
  readonly partitions: readonly string[]
  readonly sortOrder: readonly string[]
  readonly formatVersion: number
  readonly files: number
  /** Files that may hold rows of each of the filters asked for, and how many rows do. */
  readonly filesToRead: readonly number[]
  readonly rowsFound: readonly number[]
  readonly snapshotId: string | null
  readonly summary: Readonly<Record<string, string>>
  readonly snapshots: readonly string[]
  readonly metadataLocation: string
}

/** A process of pyiceberg beside us, which does one thing after the other to the tables of a catalog. */
export interface Pyiceberg {
  readonly read: (table: string, given?: { readonly filters?: readonly string[] }) => Promise<ForeignView>
  /** What DuckDB answers to a query about `rows`, the table as Arrow. */
  readonly sql: (table: string, query: string) => Promise<readonly (readonly unknown[])[]>
  /** Does what `session.py` knows by this name. */
  readonly tell: (verb: string, table: string, given?: object) => Promise<unknown>
  readonly close: () => Promise<void>
}

export async function startPyiceberg(catalog: Pick<CatalogAddresses, 'uri'>, s3: S3Addresses): Promise<Pyiceberg> {
  const child = spawn(pythonPath(), [SCRIPT, JSON.stringify(pyicebergProperties(catalog, s3))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' }
  })
  const ended = once(child, 'exit')
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const tell = async (verb: string, table: string, given: object = {}): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify([verb, table, given])}\n`)
    const line = await answers.next()
    if (line.done === true) throw new Error(`pyiceberg ended before it answered to ${verb}`)
    const { answer, error } = JSON.parse(line.value) as { answer?: unknown; error?: string }
    if (error !== undefined) throw new Error(`pyiceberg could not ${verb} ${table}:\n${error}`)
    return answer
  }
  return {
    read: async (table, given) => (await tell('read', table, given)) as ForeignView,
    sql: async (table, query) => (await tell('sql', table, { query })) as readonly (readonly unknown[])[],
    tell,
    close: async () => {
      child.stdin.end()
      await ended
    }
  }
}
