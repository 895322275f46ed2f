import type { SnowflakeSink } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError } from '../../../../lib/errors.ts'
import type { SnowflakeSecrets } from '../session/secrets.ts'
import { JWT_LIFE_MS, keyPairJwt } from './jwt.ts'

const FIELD = 'spec.sink.snowflake'
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
  readonly #secrets: SnowflakeSecrets
  readonly #clock: Clock
  #kept: Identity | undefined

  constructor(snowflake: SnowflakeSink, secrets: SnowflakeSecrets, clock: Clock) {
    this.#snowflake = snowflake
    this.#secrets = secrets
    this.#clock = clock
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
    const { authentication, account } = this.#snowflake
    const nowMs = this.#clock.now()
    if (authentication !== 'KeyPair')
      return { token: await this.#secrets.oauthToken(), type: 'OAUTH', untilMs: nowMs + REREAD_MS }
    const user = await this.#secrets.need('user')
    const token = keyPairJwt({ account, user, privateKey: await this.#secrets.privateKey() }, nowMs)
    return { token, type: 'KEYPAIR_JWT', untilMs: nowMs + JWT_LIFE_MS * 0.8 }
  }
}
