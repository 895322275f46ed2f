import type { SettledPipeline, SnowflakeSink } from '../../../crds/settled.ts'
import { Gate } from '../../../lib/gate.ts'
import type { SinkPorts, Sinks } from '../ports.ts'
import { snowflakeSessions } from './session/open.ts'

/** Of a process. */
const UPLOADS_AT_ONCE = 2

/** Each table has a session of its own, opened when it is first needed: nothing is asked of Snowflake yet. */
export async function connectSnowflake(
  pipeline: SettledPipeline,
  snowflake: SnowflakeSink,
  ports: SinkPorts
): Promise<Sinks> {
  const { readSecret, onWarehouseSeconds, ...rest } = ports
  const open = snowflakeSessions({ snowflake, readSecret, clock: rest.clock })
  if (snowflake.mode === 'Streaming') {
    const { connectStreaming } = await import('./streaming/connect.ts')
    return await connectStreaming(pipeline, snowflake, { ...ports, open })
  }
  const { openSnowflakeSink } = await import('./sink.ts')
  const uploads = new Gate(UPLOADS_AT_ONCE)
  return {
    open: plan => openSnowflakeSink({ plan, pipeline, snowflake, open, uploads, onWarehouseSeconds, ...rest }),
    close: async () => {}
  }
}
