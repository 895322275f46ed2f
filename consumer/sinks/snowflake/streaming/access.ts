import type { SnowflakeSink } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError } from '../../../../lib/errors.ts'
import { OauthTokens, type TokenCaller } from '../../../../lib/oauth-tokens.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'
import { JWT_LIFE_MS, keyPairJwt, privateKeyOf } from './jwt.ts'

const FIELD = 'spec.sink.snowflake'
const CALLER: TokenCaller = {
  field: FIELD,
  refused: 'SnowflakeAuthenticationFailed',
  untrusted: 'SnowflakeTlsFailed',
  clientIn: 'header'
}
/** A token from a Secret is read again after so long. */
const REREAD_MS = 60_000

/** What the account is told about who we are: `Authorization: Bearer <token>` and `X-Snowflake-Authorization-Token-Type`. */
export interface Identity {
  readonly token: string
  readonly type: 'KEYPAIR_JWT' | 'OAUTH'
  readonly untilMs: number
}

/** FatalError for authentications that Snowpipe Streaming does not have ("SDK and architectural limitations": key pair, OAuth, PAT). */
export function checkAuthentication({ authentication }: Pick<SnowflakeSink, 'authentication'>): void {
  if (authentication === 'KeyPair' || authentication === 'OAuth') return
  throw new FatalError(
    'UnsupportedAuthentication',
    `Snowpipe Streaming takes no ${authentication}: choose KeyPair or OAuth in ${FIELD}.authentication, or another ${FIELD}.mode.`
  )
}

/** Who we are, kept while it is fresh; Secrets are read anew each time it is not, so that a rotation is seen. */
export class Identities {
  readonly #snowflake: SnowflakeSink
  readonly #readSecret: ReadSecret
  readonly #clock: Clock
  readonly #tokens: OauthTokens
  #kept: Identity | undefined

  constructor(snowflake: SnowflakeSink, readSecret: ReadSecret, clock: Clock) {
    this.#snowflake = snowflake
    this.#readSecret = readSecret
    this.#clock = clock
    this.#tokens = new OauthTokens(clock, CALLER)
  }

  async get(): Promise<Identity> {
    if (this.#kept === undefined || this.#clock.now() >= this.#kept.untilMs) this.#kept = await this.#make()
    return this.#kept
  }

  /** It was refused: the next one is made anew. */
  forget(): void {
    this.#kept = undefined
  }

  async #make(): Promise<Identity> {
    const { authentication, account, tokenEndpoint, scope } = this.#snowflake
    const nowMs = this.#clock.now()
    if (authentication === 'KeyPair') {
      const user = await this.#need('user')
      const passphrase = await this.#find('passphrase')
      const privateKey = privateKeyOf(await this.#need('privateKey'), passphrase, this.#secret)
      const token = keyPairJwt({ account, user, privateKey }, nowMs)
      return { token, type: 'KEYPAIR_JWT', untilMs: nowMs + JWT_LIFE_MS * 0.8 }
    }
    const token =
      tokenEndpoint === undefined
        ? await this.#need('token')
        : await this.#tokens.get({
            endpoint: tokenEndpoint,
            clientId: await this.#need('clientId'),
            clientSecret: await this.#need('clientSecret'),
            scope,
            ca: undefined
          })
    return { token, type: 'OAUTH', untilMs: nowMs + REREAD_MS }
  }

  get #secret(): string {
    return this.#snowflake.credentialsSecret ?? ''
  }

  async #need(key: string): Promise<string> {
    const value = await this.#find(key)
    if (value !== undefined) return value
    throw new FatalError('SecretMissing', `Secret ${this.#secret} of ${FIELD}.credentialsSecretRef has no ${key}.`)
  }

  async #find(key: string): Promise<string | undefined> {
    const value = (await this.#readSecret(this.#secret, key))?.trim()
    return value === '' ? undefined : value
  }
}
