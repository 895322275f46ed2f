import type { SnowflakeSink, SettledPipeline } from '../../../crds/settled.ts'
import { FatalError } from '../../../lib/errors.ts'
import type { SinkPorts, Sinks } from '../connect.ts'

export async function connectSnowflake(
  _pipeline: SettledPipeline,
  _sink: SnowflakeSink,
  _ports: SinkPorts
): Promise<Sinks> {
  throw new FatalError('UnsupportedSink', 'This sink is not built yet.')
}
