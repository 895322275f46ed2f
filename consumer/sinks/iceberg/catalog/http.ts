import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import { createGunzip } from 'node:zlib'
import { FatalError, RetryableError, errorText } from '../../../../lib/errors.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export type Send = (request: HttpRequest) => Promise<HttpAnswer>

/** For the whole of a request: a catalog writes the table's metadata to its store meanwhile. */
const TIMEOUT_MS = 60_000
/** Metadata of a table with all the snapshots that its other writers keep. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20
const MAX_SOCKETS = 16
/** A connection idle for longer may be closed by the server just when it is used again, which makes an outcome unknown. */
const IDLE_MS = 10_000

/** OpenSSL's words, as Node gives them in `code`. */
const UNTRUSTED =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE).*)$/

/**
 * HTTP to one catalog over kept connections. It never follows a redirect: what is sent carries credentials. RetryableError
 * when there is no whole answer; a request may then have taken effect.
 */
export class HttpClient {
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent }

  /** `ca` is PEM, trusted beside the roots that Node brings. */
  constructor(ca: string | undefined) {
    const agent = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_MS }
    this.#agents = {
      http: new HttpAgent(agent),
      https: new HttpsAgent({ ...agent, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) })
    }
  }

  async send({ method, url, headers, body }: HttpRequest): Promise<HttpAnswer> {
    const isSecure = url.startsWith('https:')
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = {
      method,
      headers: { accept: 'application/json', 'accept-encoding': 'gzip', ...headers, ...length },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      agent: isSecure ? this.#agents.https : this.#agents.http
    }
    const sent = (isSecure ? httpsRequest : httpRequest)(url, options, response => {
      readBody(response).then(text => resolve({ status: response.statusCode ?? 0, body: text }), reject)
    })
    sent.on('error', reject)
    sent.end(body)
    return await promise.catch((error: unknown) => {
      throw connectionError(error, url)
    })
  }

  close(): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const isCompressed = response.headers['content-encoding'] === 'gzip'
  const stream = isCompressed ? response.pipe(createGunzip()) : response
  // What the pipe does not carry over: an answer that is cut off.
  if (isCompressed) response.on('error', error => stream.destroy(error))
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_ANSWER_BYTES) {
      response.destroy()
      throw new FatalError(
        'CatalogAnswerTooLong',
        `The catalog's answer is longer than ${MAX_ANSWER_BYTES} bytes. Expire snapshots of the table with another engine.`
      )
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

function connectionError(error: unknown, url: string): unknown {
  if (error instanceof FatalError) return error
  const { origin } = new URL(url)
  if (UNTRUSTED.test((error as NodeJS.ErrnoException).code ?? '')) {
    return new FatalError(
      'CatalogCertificateUntrusted',
      `${origin}: ${errorText(error)}. Put the authority that signed its certificate as ca.crt into the Secret of ` +
        'spec.sink.iceberg.catalog.caSecretRef, or correct uri.',
      { cause: error }
    )
  }
  const isLate = error instanceof Error && error.name === 'AbortError'
  const message = isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : errorText(error)
  return new RetryableError('CatalogUnreachable', `the catalog at ${origin}: ${message}`, { cause: error })
}
