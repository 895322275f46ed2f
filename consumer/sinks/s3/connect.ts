import type { S3Sink, SettledPipeline } from '../../../crds/settled.ts'
import { FatalError } from '../../../lib/errors.ts'
import type { SinkPorts, Sinks } from '../connect.ts'

export async function connectS3(_pipeline: SettledPipeline, _sink: S3Sink, _ports: SinkPorts): Promise<Sinks> {
  throw new FatalError('UnsupportedSink', 'This sink is not built yet.')
}
