import type { SourceSecurity } from '../../crds/settled.ts'
import { FatalError } from '../../lib/errors.ts'
import type { OauthTokens } from '../../lib/oauth-tokens.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import type { KafkaSecurity } from './cluster.ts'

/** What kafkajs is told of TLS and SASL, with the values of the Secrets. Throws FatalError when one is missing. */
export async function kafkaSecurity(
  security: SourceSecurity,
  readSecret: ReadSecret,
  tokens: OauthTokens
): Promise<KafkaSecurity> {
  const { protocol } = security
  const isTls = protocol === 'SSL' || protocol === 'SASL_SSL'
  const isSasl = protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL'
  const read = reader(readSecret)
  return {
    ...(isTls ? { ssl: await tls(security, read) } : {}),
    ...(isSasl ? { sasl: await sasl(security, read, tokens) } : {})
  }
}

type Read = (field: string, name: string, key: string) => Promise<string>

async function tls({ caSecret, clientCertificateSecret }: SourceSecurity, read: Read): Promise<object | true> {
  const ca = caSecret === undefined ? {} : { ca: [await read('caSecretRef', caSecret, 'ca.crt')] }
  if (clientCertificateSecret === undefined) return caSecret === undefined ? true : ca
  const field = 'clientCertificateSecretRef'
  const cert = await read(field, clientCertificateSecret, 'tls.crt')
  return { ...ca, cert, key: await read(field, clientCertificateSecret, 'tls.key') }
}

async function sasl(
  security: SourceSecurity,
  read: Read,
  tokens: OauthTokens
): Promise<NonNullable<KafkaSecurity['sasl']>> {
  const { mechanism, credentialsSecret: secret } = security
  if (mechanism === undefined || secret === undefined) {
    throw new FatalError(
      'SourceAuthenticationFailed',
      'spec.source.security.protocol asks for SASL: set mechanism and credentialsSecretRef beside it'
    )
  }
  const field = 'credentialsSecretRef'
  if (mechanism === 'OAUTHBEARER') {
    const keys = security.tokenEndpoint === undefined ? ['token'] : ['clientId', 'clientSecret']
    await Promise.all(keys.map(key => read(field, secret, key)))
    const value = () => bearerToken(security, secret, read, tokens)
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await value() }) }
  }
  const login = { username: await read(field, secret, 'username'), password: await read(field, secret, 'password') }
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', ...login }
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', ...login }
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', ...login }
  }
}

async function bearerToken(
  { tokenEndpoint: endpoint, scope, caSecret }: SourceSecurity,
  secret: string,
  read: Read,
  tokens: OauthTokens
): Promise<string> {
  const field = 'credentialsSecretRef'
  if (endpoint === undefined) return (await read(field, secret, 'token')).trim()
  return tokens.get({
    endpoint,
    scope,
    clientId: await read(field, secret, 'clientId'),
    clientSecret: await read(field, secret, 'clientSecret'),
    ca: caSecret === undefined ? undefined : await read('caSecretRef', caSecret, 'ca.crt')
  })
}

function reader(readSecret: ReadSecret): Read {
  return async (field, name, key) => {
    const value = await readSecret(name, key)
    if (value !== undefined) return value
    throw new FatalError('SecretMissing', `Secret ${name} has no key ${key}, which spec.source.security.${field} needs`)
  }
}
