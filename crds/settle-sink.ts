import { invariant } from '../lib/errors.ts'
import type { DeltaSpec, IcebergSpec, S3Spec, SinkSpec } from './pipeline.ts'
import type { DeltaSink, IcebergSink, S3Options, SettledSink } from './settled.ts'

const DEFAULT_REGION = 'us-east-1'

export function settleSink({ delta, iceberg }: SinkSpec): SettledSink {
  if (delta !== undefined) return { kind: 'delta', delta: settleDelta(delta) }
  invariant(iceberg !== undefined, 'an accepted pipeline has a sink')
  return { kind: 'iceberg', iceberg: settleIceberg(iceberg) }
}

function settleDelta({ location, partitionBy, s3 }: DeltaSpec): DeltaSink {
  return { location, partitionBy, s3: location.startsWith('s3://') ? settleS3(s3) : undefined }
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

function settleS3(s3: S3Spec | undefined): S3Options {
  return {
    endpoint: s3?.endpoint,
    region: s3?.region ?? DEFAULT_REGION,
    forcePathStyle: s3?.forcePathStyle ?? false,
    credentialsSecret: s3?.credentialsSecretRef?.name,
    caSecret: s3?.caSecretRef?.name
  }
}
