import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { planTables } from '../consumer/columns/bronze.ts'
import { dropTable, listTable } from '../consumer/sinks/delta/drop.ts'
import { tableName, type LoadedTable } from '../consumer/sinks/iceberg/catalog/catalog.ts'
import { openRestCatalog } from '../consumer/sinks/iceberg/catalog/rest.ts'
import { dropS3Table, listS3Table } from '../consumer/sinks/s3/drop.ts'
import { tableFolder } from '../consumer/sinks/s3/names.ts'
import { openObjectStore } from '../consumer/store/open.ts'
import { under } from '../consumer/store/under.ts'
import type { DeltaSink, IcebergSink, S3Sink, SettledPipeline, SnowflakeSink } from '../crds/settled.ts'
import { systemClock } from '../lib/clock.ts'
import { shortCount } from '../lib/figures.ts'
import type { ReadSecret } from '../lib/secrets.ts'

/** A table that a pipeline writes, as `bronze clean` deals with it. Methods throw RetryableError and FatalError. */
export interface DroppableTable {
  readonly name: string
  /** Where it is and how much it holds, for people; undefined when it is not there. */
  describe(): Promise<string | undefined>
  drop(): Promise<'dropped' | 'absent'>
}

export interface DroppableTables {
  readonly tables: readonly DroppableTable[]
  close(): Promise<void>
}

/** The tables of a pipeline, each before its dead-letter table. */
export async function droppableTables(
  pipeline: SettledPipeline,
  readSecret: ReadSecret,
  { keepFiles }: { readonly keepFiles: boolean }
): Promise<DroppableTables> {
  const names = planTables(pipeline).flatMap(({ table, deadLetterTable }) =>
    deadLetterTable === undefined ? [table] : [table, deadLetterTable]
  )
  const { sink } = pipeline
  if (sink.kind === 'delta') return await deltaTables(names, sink.delta, readSecret)
  if (sink.kind === 'iceberg') return await icebergTables(names, sink.iceberg, readSecret, keepFiles)
  if (sink.kind === 's3') return await s3Tables(names, sink.s3, readSecret)
  return await snowflakeTables(names, sink.snowflake, readSecret)
}

async function deltaTables(
  names: readonly string[],
  { location, s3 }: DeltaSink,
  readSecret: ReadSecret
): Promise<DroppableTables> {
  const store = await openObjectStore(location, s3, readSecret)
  const tables = names.map((name): DroppableTable => {
    const folder = under(store, `${name.replaceAll('.', '/')}/`)
    return {
      name,
      describe: async () => {
        const { paths, bytes, latestVersion } = await listTable(folder)
        if (latestVersion === undefined) return undefined
        return `${folder.location}   ${shortCount(paths.length)} objects, ${shortCount(bytes)}B`
      },
      drop: async () => {
        const outcome = await dropTable(folder, systemClock.now())
        if (outcome === 'dropped' && location.startsWith('file:')) await removeEmpty(fileURLToPath(folder.location))
        return outcome
      }
    }
  })
  return { tables, close: async () => await store.close() }
}

async function s3Tables(
  names: readonly string[],
  { location, s3 }: S3Sink,
  readSecret: ReadSecret
): Promise<DroppableTables> {
  const store = await openObjectStore(location, s3, readSecret, 'spec.sink.s3')
  const tables = names.map((name): DroppableTable => {
    const folder = `${store.location.replace(/\/$/, '')}/${tableFolder(name)}`
    return {
      name,
      describe: async () => {
        const found = await listS3Table(store, name)
        return found && `${folder}   ${shortCount(found.objects)} objects, ${shortCount(found.bytes)}B`
      },
      drop: async () => {
        const outcome = await dropS3Table(store, name)
        if (outcome === 'dropped' && location.startsWith('file:')) await removeEmpty(fileURLToPath(folder))
        return outcome
      }
    }
  })
  return { tables, close: async () => await store.close() }
}

async function snowflakeTables(
  names: readonly string[],
  snowflake: SnowflakeSink,
  readSecret: ReadSecret
): Promise<DroppableTables> {
  // The others need no such client.
  const [{ dropSnowflakeTable, findSnowflakeTable }, { LastingSession }, { snowflakeSessions }] = await Promise.all([
    import('../consumer/sinks/snowflake/drop.ts'),
    import('../consumer/sinks/snowflake/session/lasting-session.ts'),
    import('../consumer/sinks/snowflake/session/open.ts')
  ])
  const open = snowflakeSessions({ snowflake, readSecret, clock: systemClock })
  const session = new LastingSession(async () => await open('bronze clean'))
  const tables = names.map((name): DroppableTable => ({
    name,
    describe: async () => {
      const found = await findSnowflakeTable(session, snowflake, name)
      return found && `${found.ref}   ${shortCount(found.rows)} rows`
    },
    drop: async () => await dropSnowflakeTable(session, snowflake, name)
  }))
  return { tables, close: async () => await session.close() }
}

/** What an object store does not have: the folders that objects were in. */
async function removeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) await removeEmpty(join(folder, entry.name))
  // Somebody may write here again already.
  await rmdir(folder).catch(() => {})
}

async function icebergTables(
  names: readonly string[],
  { catalog: options }: IcebergSink,
  readSecret: ReadSecret,
  keepFiles: boolean
): Promise<DroppableTables> {
  const catalog = await openRestCatalog({
    catalog: options,
    readSecret,
    clock: systemClock,
    wantsCredentials: false
  })
  const tables = names.map((name): DroppableTable => {
    const table = tableName(name)
    return {
      name,
      describe: async () => {
        const loaded = await catalog.loadTable(table)
        return loaded === undefined ? undefined : icebergText(loaded)
      },
      drop: async () => ((await catalog.dropTable(table, !keepFiles)) === 'gone' ? 'absent' : 'dropped')
    }
  })
  return { tables, close: async () => await catalog.close() }
}

/** Location and rows, as the table's metadata have them. */
function icebergText({ metadata }: LoadedTable): string {
  const {
    location,
    snapshots = [],
    ...rest
  } = metadata as {
    readonly location?: unknown
    readonly snapshots?: readonly {
      readonly 'snapshot-id': unknown
      readonly summary?: Readonly<Record<string, unknown>>
    }[]
    readonly 'current-snapshot-id'?: unknown
  }
  const current = snapshots.find(each => String(each['snapshot-id']) === String(rest['current-snapshot-id']))
  const records = current?.summary?.['total-records']
  const rows = typeof records === 'string' ? Number(records) : snapshots.length === 0 ? 0 : undefined
  return `${String(location)}   ${shortCount(rows)} rows`
}
