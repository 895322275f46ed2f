import type { ConnectionOptions } from 'snowflake-sdk'
import type { SnowflakeSink } from '../../../../crds/settled.ts'
import { invariant } from '../../../../lib/errors.ts'
import type { SnowflakeSecrets } from './secrets.ts'

const FIELD = 'spec.sink.snowflake'

/** What the client is told about who we are, read anew from the Secrets at each login. */
export class Credentials {
  readonly #snowflake: SnowflakeSink
  readonly #secrets: SnowflakeSecrets

  constructor(snowflake: SnowflakeSink, secrets: SnowflakeSecrets) {
    this.#snowflake = snowflake
    this.#secrets = secrets
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
          username: await this.#secrets.need('user'),
          password: await this.#secrets.need('password')
        }
      case 'OAuth':
        return { authenticator: 'OAUTH', token: await this.#secrets.oauthToken() }
      case 'WorkloadIdentity':
        return await this.#workloadIdentity()
    }
  }

  async #keyPair(): Promise<ConnectionOptions> {
    const username = await this.#secrets.need('user')
    const privateKey = (await this.#secrets.privateKey()).export({ format: 'pem', type: 'pkcs8' })
    invariant(typeof privateKey === 'string', 'PEM is text')
    return { authenticator: 'SNOWFLAKE_JWT', username, privateKey }
  }

  async #workloadIdentity(): Promise<ConnectionOptions> {
    const { workloadIdentityProvider: provider } = this.#snowflake
    invariant(provider !== undefined, 'workload identity has a provider')
    const names = { Aws: 'AWS', Azure: 'AZURE', Gcp: 'GCP', Oidc: 'OIDC' } as const
    const token = provider === 'Oidc' ? { token: await this.#secrets.need('token') } : {}
    return { authenticator: 'WORKLOAD_IDENTITY', workloadIdentityProvider: names[provider], ...token }
  }

  async #proxy(): Promise<ConnectionOptions> {
    const { proxy } = this.#snowflake
    if (proxy === undefined) return {}
    const address = { proxyHost: proxy.host, proxyPort: proxy.port, proxyProtocol: 'http' }
    const login = await this.#secrets.proxyLogin()
    return login === undefined ? address : { ...address, proxyUser: login.username, proxyPassword: login.password }
  }
}
