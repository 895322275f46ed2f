import { createPrivateKey } from 'node:crypto'
import type { ConnectionOptions } from 'snowflake-sdk'
import type { SnowflakeSink } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError, invariant } from '../../../../lib/errors.ts'
import { OauthTokens, type TokenCaller } from '../../../../lib/oauth-tokens.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'

const FIELD = 'spec.sink.snowflake'

const CALLER: TokenCaller = {
  field: FIELD,
  refused: 'SnowflakeAuthenticationFailed',
  untrusted: 'SnowflakeTlsFailed',
  clientIn: 'header'
}

/** What the client is told about who we are, read anew from the Secrets at each login. */
export class Credentials {
  readonly #snowflake: SnowflakeSink
  readonly #readSecret: ReadSecret
  readonly #tokens: OauthTokens

  constructor(snowflake: SnowflakeSink, readSecret: ReadSecret, clock: Clock) {
    this.#snowflake = snowflake
    this.#readSecret = readSecret
    this.#tokens = new OauthTokens(clock, CALLER)
  }

  /** What to check when they are refused, for people. */
  get remedy(): string {
    const { authentication, credentialsSecret: name, workloadIdentityProvider } = this.#snowflake
    switch (authentication) {
      case 'KeyPair':
        return `check user and privateKey in Secret ${name}, and the user's RSA_PUBLIC_KEY in Snowflake.`
      case 'Password':
        return `check user and password in Secret ${name}; a policy of the account may forbid passwords.`
      case 'OAuth':
        return `check the token of Secret ${name}, ${FIELD}.tokenEndpoint and scope, and the account's security integration.`
      case 'WorkloadIdentity':
        return `check that a user of the account has WORKLOAD_IDENTITY of type ${workloadIdentityProvider} for who we are here.`
    }
  }

  /** FatalError when a Secret lacks what is needed. */
  async read(): Promise<ConnectionOptions> {
    return { ...(await this.#identity()), ...(await this.#proxy()) }
  }

  async #identity(): Promise<ConnectionOptions> {
    switch (this.#snowflake.authentication) {
      case 'KeyPair':
        return await this.#keyPair()
      case 'Password':
        return {
          authenticator: 'SNOWFLAKE',
          username: await this.#need('user'),
          password: await this.#need('password')
        }
      case 'OAuth':
        return { authenticator: 'OAUTH', token: await this.#oauthToken() }
      case 'WorkloadIdentity':
        return await this.#workloadIdentity()
    }
  }

  async #keyPair(): Promise<ConnectionOptions> {
    const username = await this.#need('user')
    const key = await this.#need('privateKey')
    const passphrase = await this.#find('passphrase')
    try {
      const parsed = createPrivateKey({ key, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
      const privateKey = parsed.export({ format: 'pem', type: 'pkcs8' })
      invariant(typeof privateKey === 'string', 'PEM is text')
      return { authenticator: 'SNOWFLAKE_JWT', username, privateKey }
    } catch {
      // OpenSSL's words are of no help, and must not show the key.
      throw new FatalError(
        'SnowflakeAuthenticationFailed',
        `privateKey in Secret ${this.#snowflake.credentialsSecret} of ${FIELD}.credentialsSecretRef is no private key (PEM, ` +
          'PKCS #8), or passphrase does not open it.'
      )
    }
  }

  async #oauthToken(): Promise<string> {
    const { tokenEndpoint, scope } = this.#snowflake
    if (tokenEndpoint === undefined) return await this.#need('token')
    const clientId = await this.#need('clientId')
    const clientSecret = await this.#need('clientSecret')
    return await this.#tokens.get({ endpoint: tokenEndpoint, clientId, clientSecret, scope, ca: undefined })
  }

  async #workloadIdentity(): Promise<ConnectionOptions> {
    const { workloadIdentityProvider: provider } = this.#snowflake
    invariant(provider !== undefined, 'workload identity has a provider')
    const names = { Aws: 'AWS', Azure: 'AZURE', Gcp: 'GCP', Oidc: 'OIDC' } as const
    const token = provider === 'Oidc' ? { token: await this.#need('token') } : {}
    return { authenticator: 'WORKLOAD_IDENTITY', workloadIdentityProvider: names[provider], ...token }
  }

  async #proxy(): Promise<ConnectionOptions> {
    const { proxy } = this.#snowflake
    if (proxy === undefined) return {}
    const { host, port, credentialsSecret: name } = proxy
    const address = { proxyHost: host, proxyPort: port, proxyProtocol: 'http' }
    if (name === undefined) return address
    const field = `${FIELD}.proxy.credentialsSecretRef`
    const [user, password] = await Promise.all([this.#readSecret(name, 'username'), this.#readSecret(name, 'password')])
    if (user === undefined) throw missing(name, 'username', field)
    if (password === undefined) throw missing(name, 'password', field)
    return { ...address, proxyUser: user, proxyPassword: password }
  }

  async #need(key: string): Promise<string> {
    const value = await this.#find(key)
    if (value === undefined)
      throw missing(this.#snowflake.credentialsSecret ?? '', key, `${FIELD}.credentialsSecretRef`)
    return value
  }

  async #find(key: string): Promise<string | undefined> {
    const { credentialsSecret: name } = this.#snowflake
    invariant(name !== undefined, 'this authentication has a Secret')
    const value = await this.#readSecret(name, key)
    return value === '' ? undefined : value
  }
}

const missing = (name: string, key: string, field: string) =>
  new FatalError('SecretMissing', `Secret ${name} of ${field} has no ${key}.`)
