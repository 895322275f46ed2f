import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { HttpConnections, HttpError, fetchText, type HttpAnswer, type HttpRequest } from '../../../../lib/http.ts'

/** Metadata of a table with all the snapshots that its other writers keep is long; a catalog writes it to its store meanwhile. */
const LIMITS = { timeoutMs: 60_000, maxAnswerBytes: 64 * 2 ** 20 }
const CONNECTIONS = { maxSockets: 16, idleMs: 10_000 }

/** Requests to one catalog over kept connections. */
export class Transport {
  readonly #connections = new HttpConnections(CONNECTIONS)
  readonly #ca: string | undefined

  /** `ca` is PEM. */
  constructor(ca: string | undefined) {
    this.#ca = ca
  }

  /** RetryableError when there is no whole answer: the request may then have taken effect. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await fetchText(request, { ...LIMITS, ca: this.#ca, connections: this.#connections })
    } catch (error) {
      throw error instanceof HttpError ? unanswered(error) : error
    }
  }

  close(): void {
    this.#connections.close()
  }
}

function unanswered(cause: HttpError): FatalError | RetryableError {
  const said = `the catalog at ${cause.message}`
  switch (cause.trouble) {
    case 'Unreachable':
      return new RetryableError('CatalogUnreachable', said)
    case 'TooLong':
      return new FatalError('CatalogAnswerTooLong', `${said}. Expire snapshots of the table with another engine.`)
    case 'Untrusted':
      return new FatalError(
        'CatalogCertificateUntrusted',
        `${said}. Put the authority that signed its certificate as ca.crt into the Secret of ` +
          'spec.sink.iceberg.catalog.caSecretRef, or correct uri.'
      )
  }
}
