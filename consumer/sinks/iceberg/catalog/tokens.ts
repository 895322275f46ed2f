import type { IcebergCatalog } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError } from '../../../../lib/errors.ts'
import { requestToken, type TokenCaller } from '../../../../lib/oauth-tokens.ts'
import type { ReadSecret } from '../../../../lib/secrets.ts'

/** How long a token whose life nobody tells is used before its Secret is read again. */
const REREAD_MS = 60_000
/** What the catalog's own token endpoint expects when nothing is said. */
const DEFAULT_SCOPE = 'catalog'
const CALLER: TokenCaller = {
  field: 'spec.sink.iceberg.catalog',
  refused: 'CatalogAuthenticationFailed',
  untrusted: 'CatalogCertificateUntrusted',
  clientIn: 'form'
}

/** The bearer token for a catalog: as a Secret holds it, or by the client-credentials grant (RFC 6749 section 4.4). */
export class CatalogTokens {
  readonly #options: IcebergCatalog
  readonly #readSecret: ReadSecret
  readonly #clock: Clock
  /** PEM. */
  readonly #ca: string | undefined
  #kept: { readonly token: string; readonly untilMs: number } | undefined

  constructor(
    options: IcebergCatalog,
    ports: { readonly readSecret: ReadSecret; readonly clock: Clock; readonly ca: string | undefined }
  ) {
    this.#options = options
    this.#readSecret = ports.readSecret
    this.#clock = ports.clock
    this.#ca = ports.ca
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
        `Secret ${secret} (${CALLER.field}.credentialsSecretRef) has neither the key token nor both clientId and clientSecret.`
      )
    const endpoint = tokenEndpoint ?? `${uri}/v1/oauth/tokens`
    const request = { endpoint, clientId, clientSecret, scope, ca: this.#ca }
    const { token, usableMs = REREAD_MS } = await requestToken(request, CALLER)
    return { token, untilMs: this.#clock.now() + usableMs }
  }

  async #read(secret: string, key: string): Promise<string | undefined> {
    const value = (await this.#readSecret(secret, key))?.trim()
    return value === '' ? undefined : value
  }
}
