import type { SettledPipeline } from '../../crds/settled.ts'
import { under } from '../store/under.ts'
import type { Histories, HistoryPorts, HistoryRange } from './history.ts'

const LOOK_EVERY_MS = 2_000

/** The past of tables of a pipeline. Loads the code of its kind of sink alone. */
export async function openHistories(
  pipeline: SettledPipeline,
  tables: readonly string[],
  range: HistoryRange,
  ports: HistoryPorts
): Promise<Histories> {
  const { sink } = pipeline
  const { readSecret, clock, onNote } = ports
  switch (sink.kind) {
    case 'delta': {
      const [{ deltaHistory }, { openObjectStore }] = await Promise.all([
        import('./delta/history.ts'),
        import('../store/open.ts')
      ])
      const store = await openObjectStore(sink.delta.location, sink.delta.s3, readSecret)
      return {
        tables: tables.map(table => deltaHistory(under(store, `${table.replaceAll('.', '/')}/`), table, range, onNote)),
        lookEveryMs: LOOK_EVERY_MS,
        close: async () => await store.close()
      }
    }
    case 'iceberg': {
      const [{ icebergHistory }, { openRestCatalog }] = await Promise.all([
        import('./iceberg/history.ts'),
        import('./iceberg/catalog/rest.ts')
      ])
      const { catalog: options } = sink.iceberg
      const catalog = await openRestCatalog({ catalog: options, readSecret, clock, wantsCredentials: false })
      return {
        tables: tables.map(table => icebergHistory(catalog, table, range, onNote)),
        lookEveryMs: LOOK_EVERY_MS,
        close: async () => await catalog.close()
      }
    }
    case 'snowflake': {
      if (sink.snowflake.mode === 'Streaming') {
        const { streamingHistories } = await import('./snowflake/streaming/history.ts')
        return await streamingHistories(pipeline, sink.snowflake, tables, range, ports)
      }
      const { snowflakeHistories } = await import('./snowflake/histories.ts')
      return await snowflakeHistories(sink.snowflake, tables, range, ports)
    }
    case 's3': {
      const { s3Histories } = await import('./s3/histories.ts')
      return await s3Histories(sink.s3, tables, range, ports)
    }
  }
}
