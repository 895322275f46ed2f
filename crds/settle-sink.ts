import { parseDurationMs } from '../lib/duration.ts'
import { invariant } from '../lib/errors.ts'
import type { DeltaSpec, IcebergSpec, S3SinkSpec, S3Spec, SinkSpec, SnowflakeSpec } from './pipeline.ts'
import type { S3Encryption, S3Options } from './s3-options.ts'
import type { DeltaSink, IcebergSink, S3Sink, SettledSink, SnowflakeProxy, SnowflakeSink } from './settled.ts'

const DEFAULT_REGION = 'us-east-1'
const DEFAULT_IDLE_DELAY = '15m'
const DEFAULT_PATH = { Partitioned: 'topic={topic}/dt={yyyy}-{MM}-{dd}', Glob: 'topic={topic}' } as const

export function settleSink({ delta, iceberg, snowflake, s3 }: SinkSpec): SettledSink {
  if (delta !== undefined) return { kind: 'delta', delta: settleDelta(delta) }
  if (iceberg !== undefined) return { kind: 'iceberg', iceberg: settleIceberg(iceberg) }
  if (snowflake !== undefined) return { kind: 'snowflake', snowflake: settleSnowflake(snowflake) }
  invariant(s3 !== undefined, 'an accepted pipeline has a sink')
  return { kind: 's3', s3: settleObjects(s3) }
}

function settleDelta({ location, partitionBy, s3 }: DeltaSpec): DeltaSink {
  return { location, partitionBy, s3: storeOf(location, s3) }
}

function settleIceberg({ catalog, location, partitionBy, formatVersion, s3 }: IcebergSpec): IcebergSink {
  return {
    catalog: {
      uri: catalog.uri,
      warehouse: catalog.warehouse,
      credentialsSecret: catalog.credentialsSecretRef?.name,
      tokenEndpoint: catalog.tokenEndpoint,
      scope: catalog.scope,
      caSecret: catalog.caSecretRef?.name
    },
    location,
    partitionBy: partitionBy.map(({ source, transform, width }) => ({ source, transform, width })),
    formatVersion,
    s3: s3 && settleS3(s3)
  }
}

function settleSnowflake(spec: SnowflakeSpec): SnowflakeSink {
  const { credentialsSecretRef, workloadIdentity, proxy, clusterBy, maxIdleDelay = DEFAULT_IDLE_DELAY, ...same } = spec
  const maxIdleDelayMs = parseDurationMs(maxIdleDelay)
  invariant(maxIdleDelayMs !== undefined, 'durations of an accepted pipeline can be read')
  return {
    ...same,
    url: same.url,
    warehouse: same.warehouse,
    role: same.role,
    tokenEndpoint: same.tokenEndpoint,
    scope: same.scope,
    credentialsSecret: credentialsSecretRef?.name,
    workloadIdentityProvider: workloadIdentity?.provider,
    proxy: settleProxy(proxy),
    clusterBy: clusterBy ?? [],
    maxIdleDelayMs
  }
}

function settleProxy(proxy: SnowflakeSpec['proxy']): SnowflakeProxy | undefined {
  return proxy && { host: proxy.host, port: proxy.port, credentialsSecret: proxy.credentialsSecretRef?.name }
}

function settleObjects({ location, format, compression, layout, path, pathTime, s3 }: S3SinkSpec): S3Sink {
  return {
    location,
    format,
    compression: compression ?? 'Zstd',
    layout,
    path: path ?? DEFAULT_PATH[layout],
    pathTime: pathTime ?? 'IngestedAt',
    s3: storeOf(location, s3)
  }
}

/** Undefined for a folder. */
function storeOf(location: string, s3: S3Spec | undefined): S3Options | undefined {
  return location.startsWith('s3://') ? settleS3(s3) : undefined
}

function settleS3(s3: S3Spec | undefined): S3Options {
  const encryption = settleEncryption(s3?.encryption)
  return {
    endpoint: s3?.endpoint,
    region: s3?.region ?? DEFAULT_REGION,
    forcePathStyle: s3?.forcePathStyle ?? false,
    credentialsSecret: s3?.credentialsSecretRef?.name,
    caSecret: s3?.caSecretRef?.name,
    ...(encryption && { encryption })
  }
}

function settleEncryption(encryption: S3Spec['encryption']): S3Encryption | undefined {
  if (encryption === undefined) return undefined
  return encryption.type === 'S3' ? { kind: 'S3' } : { kind: 'Kms', keyId: encryption.keyId }
}
