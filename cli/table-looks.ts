import type { DeltaSink, IcebergSink, S3Sink, SettledPipeline, SnowflakeSink } from '../crds/settled.ts'
import { systemClock } from '../lib/clock.ts'
import type { ReadSecret } from '../lib/secrets.ts'

/** A column that a table has. */
export interface FoundColumn {
  readonly name: string
  /** In the words of the sink; undefined where the one that we would write is the only one that it can be. */
  readonly type?: string
}

/** Looks at tables without changing them. Methods throw RetryableError and FatalError. */
export interface TableLooks {
  /** Undefined when the table is not there. */
  columnsOf(table: string): Promise<readonly FoundColumn[] | undefined>
  close(): Promise<void>
}

/** Loads the code of the pipeline's kind of sink alone. */
export async function openTableLooks({ sink }: SettledPipeline, readSecret: ReadSecret): Promise<TableLooks> {
  switch (sink.kind) {
    case 'delta':
      return await deltaLooks(sink.delta, readSecret)
    case 'iceberg':
      return await icebergLooks(sink.iceberg, readSecret)
    case 'snowflake':
      return await snowflakeLooks(sink.snowflake, readSecret)
    case 's3':
      return await s3Looks(sink.s3, readSecret)
  }
}

async function deltaLooks({ location, s3 }: DeltaSink, readSecret: ReadSecret): Promise<TableLooks> {
  const [{ openObjectStore }, { under }, { loadSnapshot }, { parseSchema }] = await Promise.all([
    import('../consumer/store/open.ts'),
    import('../consumer/store/under.ts'),
    import('../consumer/sinks/delta/load.ts'),
    import('../consumer/sinks/delta/schema.ts')
  ])
  const store = await openObjectStore(location, s3, readSecret)
  return {
    columnsOf: async table => {
      const snapshot = await loadSnapshot(under(store, `${table.replaceAll('.', '/')}/`), table)
      return snapshot && namesOf(parseSchema(snapshot.metadata, table).fields)
    },
    close: async () => await store.close()
  }
}

async function icebergLooks({ catalog: options }: IcebergSink, readSecret: ReadSecret): Promise<TableLooks> {
  const [{ openRestCatalog }, { tableName }, { currentSchema }, { parseMetadata }] = await Promise.all([
    import('../consumer/sinks/iceberg/catalog/rest.ts'),
    import('../consumer/sinks/iceberg/catalog/catalog.ts'),
    import('../consumer/sinks/iceberg/metadata.ts'),
    import('../consumer/sinks/iceberg/parse-metadata.ts')
  ])
  const catalog = await openRestCatalog({ catalog: options, readSecret, clock: systemClock, wantsCredentials: false })
  return {
    columnsOf: async table => {
      const loaded = await catalog.loadTable(tableName(table))
      return loaded && namesOf(currentSchema(parseMetadata(loaded.metadata, table)).fields)
    },
    close: async () => await catalog.close()
  }
}

async function snowflakeLooks(snowflake: SnowflakeSink, readSecret: ReadSecret): Promise<TableLooks> {
  const [{ snowflakeSessions }, { LastingSession }, look, { tableObjects }] = await Promise.all([
    import('../consumer/sinks/snowflake/session/open.ts'),
    import('../consumer/sinks/snowflake/session/lasting-session.ts'),
    import('../consumer/sinks/snowflake/sql/look.ts'),
    import('../consumer/sinks/snowflake/sql/objects.ts')
  ])
  const open = snowflakeSessions({ snowflake, readSecret, clock: systemClock })
  const session = new LastingSession(async () => await open('bronze init'))
  return {
    columnsOf: async table => {
      const objects = tableObjects(snowflake, table, undefined)
      const { rows } = await session.run(look.lookForColumns(objects))
      const found = look.foundObjects(objects, { schema: [], columns: rows, stage: [] })
      return found.table?.map(column => ({ name: column.name, type: look.describeColumn(column) }))
    },
    close: async () => await session.close()
  }
}

async function s3Looks({ location, s3 }: S3Sink, readSecret: ReadSecret): Promise<TableLooks> {
  const [{ openObjectStore }, { readTableObject }] = await Promise.all([
    import('../consumer/store/open.ts'),
    import('../consumer/sinks/s3/table.ts')
  ])
  const store = await openObjectStore(location, s3, readSecret, 'spec.sink.s3')
  return {
    columnsOf: async table => {
      const found = await readTableObject(store, table)
      return found === undefined || found.isDropped ? undefined : found.columns
    },
    close: async () => await store.close()
  }
}

const namesOf = (columns: readonly { readonly name: string }[]): readonly FoundColumn[] =>
  columns.map(({ name }) => ({ name }))
