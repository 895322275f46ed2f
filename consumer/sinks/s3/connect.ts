import type { S3Sink, SettledPipeline } from '../../../crds/settled.ts'
import { openObjectStore } from '../../store/open.ts'
import type { SinkPorts, Sinks } from '../connect.ts'
import { openS3Sink } from './sink.ts'

/** All tables of a pipeline share one store. */
export async function connectS3(
  pipeline: SettledPipeline,
  sink: S3Sink,
  { readSecret, ...ports }: SinkPorts
): Promise<Sinks> {
  const store = await openObjectStore(sink.location, sink.s3, readSecret, 'spec.sink.s3')
  return {
    open: plan => openS3Sink({ plan, pipeline, sink, store, ...ports }),
    close: async () => await store.close()
  }
}
