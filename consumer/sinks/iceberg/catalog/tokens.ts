import type { IcebergCatalog } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'
import { refusalError } from './errors.ts'
import type { Send } from './http.ts'

/** A token is used until this share of its life is over. */
const USABLE_SHARE = 0.8
/** How long a token whose life nobody tells is used before its Secret is read again. */
const REREAD_MS = 60_000
/** What the catalog's own token endpoint expects when nothing is said. */
const DEFAULT_SCOPE = 'catalog'
const FIELD = 'spec.sink.iceberg.catalog'

/** The bearer token for a catalog: as a Secret holds it, or by the client-credentials grant (RFC 6749 section 4.4). */
export class CatalogTokens {
  readonly #options: IcebergCatalog
  readonly #readSecret: ReadSecret
  readonly #clock: Clock
  readonly #send: Send
  #kept: { readonly token: string; readonly untilMs: number } | undefined

  constructor(
    options: IcebergCatalog,
    ports: { readonly readSecret: ReadSecret; readonly clock: Clock; readonly send: Send }
  ) {
    this.#options = options
    this.#readSecret = ports.readSecret
    this.#clock = ports.clock
    this.#send = ports.send
  }

  /** Undefined when the catalog asks for none. `refused` is a token that the catalog did not take: another one is got. */
  async get(refused?: string): Promise<string | undefined> {
    const secret = this.#options.credentialsSecret
    if (secret === undefined) return undefined
    const kept = this.#kept
    if (kept !== undefined && kept.token !== refused && this.#clock.now() < kept.untilMs) return kept.token
    const token = await this.#read(secret, 'token')
    if (token !== undefined) {
      this.#kept = { token, untilMs: this.#clock.now() + REREAD_MS }
      return token
    }
    this.#kept = await this.#exchange(secret)
    return this.#kept.token
  }

  async #exchange(secret: string): Promise<{ token: string; untilMs: number }> {
    const { uri, tokenEndpoint } = this.#options
    const scope = this.#options.scope ?? (tokenEndpoint === undefined ? DEFAULT_SCOPE : undefined)
    const [clientId, clientSecret] = [await this.#read(secret, 'clientId'), await this.#read(secret, 'clientSecret')]
    if (clientId === undefined || clientSecret === undefined)
      throw new FatalError(
        'SecretMissing',
        `Secret ${secret} (${FIELD}.credentialsSecretRef) has neither the key token nor both clientId and clientSecret.`
      )
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      ...(scope === undefined ? {} : { scope })
    }
    const { status, body } = await this.#send({
      method: 'POST',
      url: tokenEndpoint ?? `${uri}/v1/oauth/tokens`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString()
    })
    // What such an endpoint says may repeat what it was told: only its status is passed on. It answers 400 to wrong clients.
    if (status !== 200)
      throw refusalError(
        { status: status === 400 ? 401 : status, type: undefined, message: undefined },
        'a token was asked for'
      )
    const { access_token: token, expires_in: expiresIn } = parse(body)
    if (typeof token !== 'string' || token === '')
      throw new RetryableError('TokenEndpointTrouble', "the catalog's token endpoint answers without a token")
    const lifeMs = typeof expiresIn === 'number' && expiresIn > 0 ? expiresIn * 1000 * USABLE_SHARE : REREAD_MS
    return { token, untilMs: this.#clock.now() + lifeMs }
  }

  async #read(secret: string, key: string): Promise<string | undefined> {
    const value = (await this.#readSecret(secret, key))?.trim()
    return value === '' ? undefined : value
  }
}

function parse(body: string): { access_token?: unknown; expires_in?: unknown } {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}
