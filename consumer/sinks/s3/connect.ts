import type { S3Sink, SettledPipeline } from '../../../crds/settled.ts'
import { Gate } from '../../../lib/gate.ts'
import { openObjectStore } from '../../store/open.ts'
import type { SinkPorts, Sinks } from '../ports.ts'
import { openS3Sink } from './sink.ts'

/** The decoded pages and the compressed parts of more at once, 24 in the worst case, took 37 MiB in the test of memory. */
const LINES_AT_ONCE = 2

/** All tables of a pipeline share one store. */
export async function connectS3(
  pipeline: SettledPipeline,
  sink: S3Sink,
  { readSecret, ...ports }: SinkPorts
): Promise<Sinks> {
  const store = await openObjectStore(sink.location, sink.s3, readSecret, 'spec.sink.s3')
  const lines = new Gate(LINES_AT_ONCE)
  return {
    open: plan => openS3Sink({ plan, pipeline, sink, store, lines, ...ports }),
    close: async () => await store.close()
  }
}
