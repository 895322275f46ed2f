import type { SnowflakeSink, SettledPipeline } from '../../../../crds/settled.ts'
import type { SinkPorts, Sinks } from '../../ports.ts'
import type { OpenSession } from '../session/session.ts'
import { TableSession } from '../table-session.ts'
import { TableState } from '../table-state.ts'
import { openStreamingService } from './rest.ts'
import { openStreamingSink } from './sink.ts'
import { SqlLedger } from './sql-ledger.ts'

/** Rows go over one REST client for all tables; what SQL is needed has a session per table, opened when it first is. */
export async function connectStreaming(
  pipeline: SettledPipeline,
  snowflake: SnowflakeSink,
  ports: SinkPorts & { readonly open: OpenSession }
): Promise<Sinks> {
  const { readSecret, clock, log, author, open } = ports
  const service = openStreamingService({ snowflake, readSecret, clock })
  return {
    open: plan => {
      const session = new TableSession({ open, table: plan.table, author, log })
      const state = new TableState(session, { plan, pipeline, snowflake, clock })
      // Each ends with no transaction open: the session never commits by itself.
      const tables = {
        objects: state.objects,
        open: async () => await session.reading(async () => await state.open()),
        refresh: async () => await session.reading(async () => await state.refresh()),
        addFields: async (fields: Parameters<TableState['addFields']>[0]) =>
          await session.reading(async () => await state.addFields(fields))
      }
      const ledger = new SqlLedger({ session, objects: state.objects, clock, author })
      return openStreamingSink({ plan, pipeline, snowflake, tables, ledger, service, clock, log, author })
    },
    close: async () => service.close()
  }
}
