import type { SettledPipeline, SnowflakeSink } from '../../../crds/settled.ts'
import type { SinkPorts, Sinks } from '../connect.ts'
import { snowflakeSessions } from './session/open.ts'

/** Uploads of a process at once. */
const UPLOADS = 2

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
  const [{ openSnowflakeSink }, { Turns }] = await Promise.all([import('./sink.ts'), import('./turns.ts')])
  const uploads = new Turns(UPLOADS)
  return {
    open: plan => openSnowflakeSink({ plan, pipeline, snowflake, open, uploads, onWarehouseSeconds, ...rest }),
    close: async () => {}
  }
}
