import type { DeltaSink, IcebergSink, SettledPipeline } from '../../crds/settled.ts'
import type { SinkPorts, Sinks } from './ports.ts'

/** Where the tables are, for logs and metrics. */
export function locationOf({ sink }: SettledPipeline): string {
  switch (sink.kind) {
    case 'delta':
      return sink.delta.location
    case 'iceberg':
      return sink.iceberg.catalog.uri
    case 'snowflake':
      return `${sink.snowflake.account}/${sink.snowflake.database}`
    case 's3':
      return sink.s3.location
  }
}

/** Loads the code of the pipeline's kind of sink alone: the others would only take memory. */
export async function connectSinks(pipeline: SettledPipeline, ports: SinkPorts): Promise<Sinks> {
  const { sink } = pipeline
  switch (sink.kind) {
    case 'delta':
      return await connectDelta(pipeline, sink.delta, ports)
    case 'iceberg':
      return await connectIceberg(pipeline, sink.iceberg, ports)
    case 'snowflake': {
      const { connectSnowflake } = await import('./snowflake/connect.ts')
      return await connectSnowflake(pipeline, sink.snowflake, ports)
    }
    case 's3': {
      const { connectS3 } = await import('./s3/connect.ts')
      return await connectS3(pipeline, sink.s3, ports)
    }
  }
}

async function connectDelta(pipeline: SettledPipeline, { location, s3 }: DeltaSink, ports: SinkPorts): Promise<Sinks> {
  const [{ openDeltaSink }, { openObjectStore }] = await Promise.all([
    import('./delta/sink.ts'),
    import('../store/open.ts')
  ])
  const { readSecret, ...rest } = ports
  const store = await openObjectStore(location, s3, readSecret)
  return {
    open: plan => openDeltaSink({ plan, pipeline, store, ...rest }),
    close: async () => await store.close()
  }
}

async function connectIceberg(
  pipeline: SettledPipeline,
  { catalog, s3 }: IcebergSink,
  ports: SinkPorts
): Promise<Sinks> {
  const [{ openIcebergSink }, { openRestCatalog }, { storesOf }] = await Promise.all([
    import('./iceberg/sink.ts'),
    import('./iceberg/catalog/rest.ts'),
    import('./iceberg/stores.ts')
  ])
  const { readSecret, ...rest } = ports
  const wantsCredentials = s3?.credentialsSecret === undefined
  const client = await openRestCatalog({ catalog, readSecret, clock: rest.clock, wantsCredentials })
  return {
    open: plan => openIcebergSink({ plan, pipeline, catalog: client, openStore: storesOf(s3, readSecret), ...rest }),
    close: async () => await client.close()
  }
}
