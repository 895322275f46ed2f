import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { SnowflakeSink } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError, invariant } from '../../../../lib/errors.ts'
import { OauthTokens } from '../../../../lib/oauth-tokens.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'

const FIELD = 'spec.sink.snowflake'

/** What the Secrets of a sink hold, read anew each time, so that a rotation is seen. FatalError when something is missing. */
export class SnowflakeSecrets {
  readonly #snowflake: SnowflakeSink
  readonly #readSecret: ReadSecret
  readonly #tokens: OauthTokens

  constructor(snowflake: SnowflakeSink, readSecret: ReadSecret, clock: Clock) {
    this.#snowflake = snowflake
    this.#readSecret = readSecret
    this.#tokens = new OauthTokens(clock, {
      field: FIELD,
      refused: 'SnowflakeAuthenticationFailed',
      untrusted: 'SnowflakeTlsFailed',
      clientIn: 'header'
    })
  }

  /** A key of the Secret with our credentials. */
  async need(key: string): Promise<string> {
    return await this.#need(this.#name, key, `${FIELD}.credentialsSecretRef`)
  }

  /** The private key of a key pair. */
  async privateKey(): Promise<KeyObject> {
    const key = await this.need('privateKey')
    const passphrase = await this.#find(this.#name, 'passphrase')
    try {
      const parsed = createPrivateKey({ key, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
      if (parsed.asymmetricKeyType === 'rsa') return parsed
    } catch {
      // OpenSSL's words are of no help, and must not show the key.
    }
    throw new FatalError(
      'SnowflakeAuthenticationFailed',
      `privateKey in Secret ${this.#name} of ${FIELD}.credentialsSecretRef is no RSA private key (PEM, PKCS #8), or passphrase does ` +
        'not open it.'
    )
  }

  /** An access token: the Secret's own, or one of the token endpoint, kept while it is fresh. */
  async oauthToken(): Promise<string> {
    const { tokenEndpoint, scope } = this.#snowflake
    if (tokenEndpoint === undefined) return await this.need('token')
    const clientId = await this.need('clientId')
    const clientSecret = await this.need('clientSecret')
    return await this.#tokens.get({ endpoint: tokenEndpoint, clientId, clientSecret, scope, ca: undefined })
  }

  /** Undefined when there is no proxy, or it asks for nothing. */
  async proxyLogin(): Promise<{ readonly username: string; readonly password: string } | undefined> {
    const name = this.#snowflake.proxy?.credentialsSecret
    if (name === undefined) return undefined
    const field = `${FIELD}.proxy.credentialsSecretRef`
    return {
      username: await this.#need(name, 'username', field),
      password: await this.#need(name, 'password', field)
    }
  }

  get #name(): string {
    const { credentialsSecret } = this.#snowflake
    invariant(credentialsSecret !== undefined, 'this authentication has a Secret')
    return credentialsSecret
  }

  async #need(name: string, key: string, field: string): Promise<string> {
    const value = await this.#find(name, key)
    if (value !== undefined) return value
    throw new FatalError('SecretMissing', `Secret ${name} of ${field} has no ${key}.`)
  }

  async #find(name: string, key: string): Promise<string | undefined> {
    const value = await this.#readSecret(name, key)
    return value === '' ? undefined : value
  }
}
