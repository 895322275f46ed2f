import type { SettledPipeline, SettledSink, SettledSource } from '../../crds/settled.ts'

/** The Secrets that consumers read, without repetition. */
export function secretsOf({ source, sink }: SettledPipeline): readonly string[] {
  return names([...secretsOfSource(source), ...secretsOfSink(sink)])
}

/**
 * Those of them that consumers read when they start and never again: certificates, and the login at a proxy, that a sink's
 * kept connections are made with. All others are read anew for the next connection, request or session.
 */
export function secretsReadAtStart({ sink }: SettledPipeline): readonly string[] {
  switch (sink.kind) {
    case 'delta':
      return names([sink.delta.s3?.caSecret])
    case 's3':
      return names([sink.s3.s3?.caSecret])
    case 'iceberg':
      return names([sink.iceberg.catalog.caSecret, sink.iceberg.s3?.caSecret])
    case 'snowflake':
      return names(sink.snowflake.mode === 'Streaming' ? [sink.snowflake.proxy?.credentialsSecret] : [])
  }
}

/** Of these Secrets those that are not there, and which part of the spec names them. */
export function missingSecrets(settled: SettledPipeline, isThere: (name: string) => boolean): readonly MissingSecret[] {
  const ofSource = new Set(secretsOfSource(settled.source))
  return secretsOf(settled)
    .filter(name => !isThere(name))
    .map(name => ({ name, by: ofSource.has(name) ? 'source' : 'sink' }))
}

export interface MissingSecret {
  readonly name: string
  readonly by: 'source' | 'sink'
}

function secretsOfSource({ security, schemaRegistry }: SettledSource): readonly (string | undefined)[] {
  const { credentialsSecret, caSecret, clientCertificateSecret } = security
  const ofRegistry = [schemaRegistry?.credentialsSecret, schemaRegistry?.caSecret]
  return [credentialsSecret, caSecret, clientCertificateSecret, ...ofRegistry]
}

function secretsOfSink(sink: SettledSink): readonly (string | undefined)[] {
  switch (sink.kind) {
    case 'delta':
      return [sink.delta.s3?.credentialsSecret, sink.delta.s3?.caSecret]
    case 's3':
      return [sink.s3.s3?.credentialsSecret, sink.s3.s3?.caSecret]
    case 'iceberg': {
      const { catalog, s3 } = sink.iceberg
      return [catalog, s3].flatMap(each => [each?.credentialsSecret, each?.caSecret])
    }
    case 'snowflake':
      return [sink.snowflake.credentialsSecret, sink.snowflake.proxy?.credentialsSecret]
  }
}

const names = (all: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(all.filter(name => name !== undefined))].sort()
