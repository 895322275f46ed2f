import type { ConnectionOptions } from '@platformatic/kafka'
import type { SourceSecurity } from '../../crds/settled.ts'
import type { Clock } from '../../lib/clock.ts'
import { FatalError } from '../../lib/errors.ts'
import { OauthTokens, SOURCE_TOKENS } from '../../lib/oauth-tokens.ts'
import type { ReadSecret } from '../../lib/secrets.ts'

type Tls = NonNullable<ConnectionOptions['tls']>
type Sasl = NonNullable<ConnectionOptions['sasl']>

/**
 * TLS and SASL options for the next connection. Secrets are read again each time, so a rotated one is used from the
 * next connection on, and only those that the protocol asks for.
 */
export class Security {
  readonly #security: SourceSecurity
  readonly #readSecret: ReadSecret
  readonly #tokens: OauthTokens

  constructor(security: SourceSecurity, readSecret: ReadSecret, clock: Clock) {
    this.#security = security
    this.#readSecret = readSecret
    this.#tokens = new OauthTokens(clock, SOURCE_TOKENS)
  }

  /** Throws FatalError when a secret, or a key in it, is missing. */
  async connectionOptions(): Promise<Pick<ConnectionOptions, 'tls' | 'sasl'>> {
    const { protocol } = this.#security
    const isTls = protocol === 'SSL' || protocol === 'SASL_SSL'
    const isSasl = protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL'
    return {
      ...(isTls ? { tls: await this.#tls() } : {}),
      ...(isSasl ? { sasl: await this.#sasl() } : {})
    }
  }

  async #tls(): Promise<Tls> {
    const { caSecret, clientCertificateSecret } = this.#security
    const ca = caSecret === undefined ? undefined : await this.#read('caSecretRef', caSecret, 'ca.crt')
    if (clientCertificateSecret === undefined) return ca === undefined ? {} : { ca }
    const field = 'clientCertificateSecretRef'
    const cert = await this.#read(field, clientCertificateSecret, 'tls.crt')
    const key = await this.#read(field, clientCertificateSecret, 'tls.key')
    return { cert, key, ...(ca === undefined ? {} : { ca }) }
  }

  async #sasl(): Promise<Sasl> {
    const { mechanism, credentialsSecret } = this.#security
    if (mechanism === undefined || credentialsSecret === undefined) {
      throw new FatalError(
        'SourceAuthenticationFailed',
        'spec.source.security.protocol asks for SASL: set mechanism and credentialsSecretRef beside it.'
      )
    }
    if (mechanism === 'OAUTHBEARER') return { mechanism, token: () => this.#token(credentialsSecret) }
    const credential = (key: string) => () => this.#read('credentialsSecretRef', credentialsSecret, key)
    // Providers, not values: the library asks again when the broker wants the session authenticated anew (KIP-368).
    const [username, password] = [credential('username'), credential('password')]
    await Promise.all([username(), password()])
    return { mechanism, username, password }
  }

  async #token(secret: string): Promise<string> {
    const { tokenEndpoint, scope, caSecret } = this.#security
    const field = 'credentialsSecretRef'
    if (tokenEndpoint === undefined) return (await this.#read(field, secret, 'token')).trim()
    return this.#tokens.get({
      endpoint: tokenEndpoint,
      scope,
      clientId: await this.#read(field, secret, 'clientId'),
      clientSecret: await this.#read(field, secret, 'clientSecret'),
      ca: caSecret === undefined ? undefined : await this.#read('caSecretRef', caSecret, 'ca.crt')
    })
  }

  async #read(field: string, name: string, key: string): Promise<string> {
    const value = await this.#readSecret(name, key)
    if (value !== undefined) return value
    throw new FatalError(
      'SecretMissing',
      `Secret ${name} has no key ${key}, which spec.source.security.${field} needs.`
    )
  }
}
