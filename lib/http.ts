import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import { createGunzip } from 'node:zlib'
import { isUntrusted } from './trust.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
  /** As the server wants to be asked again (`Retry-After` in seconds); undefined when it does not say. */
  readonly retryAfterMs?: number
}

export interface HttpOptions {
  /** For the whole of a request, its answer's body included. */
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  /** PEM; trusted beside the roots that Node brings. */
  readonly ca?: string | undefined
  /** Connections of the caller's own, to be closed with them; Node's shared ones otherwise. */
  readonly connections?: HttpConnections
}

export interface ConnectionSettings {
  readonly maxSockets: number
  readonly idleMs: number
  readonly proxyUrl?: string | undefined
}

/** Why there is no answer. Of a request that is `Unreachable` or `TooLong` it is unknown whether it took effect. */
export type HttpTrouble = 'Unreachable' | 'Untrusted' | 'TooLong'

/** No whole answer. The message names the server and nothing else of the request, which may hold secrets. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly trouble: HttpTrouble
  constructor(trouble: HttpTrouble, message: string) {
    super(message)
    this.trouble = trouble
  }
}

/**
 * One request and its answer as text, whatever its status. Redirects are not followed: what is sent carries credentials.
 * HttpError when there is no whole answer.
 */
export async function fetchText(request: HttpRequest, options: HttpOptions): Promise<HttpAnswer> {
  const { method, url, headers, body } = request
  const { timeoutMs, maxAnswerBytes, ca, connections } = options
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const isSecure = url.startsWith('https:')
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const settings = {
    method,
    headers: { accept: 'application/json', 'accept-encoding': 'gzip', ...headers, ...length },
    signal: AbortSignal.timeout(timeoutMs),
    agent: connections?.[isSecure ? 'https' : 'http'],
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] })
  }
  const sent = (isSecure ? httpsRequest : httpRequest)(url, settings, response => {
    const { statusCode: status = 0, headers } = response
    const wait = retryAfter(headers['retry-after'])
    readBody(response, maxAnswerBytes).then(text => resolve({ status, body: text, ...wait }), reject)
  })
  sent.on('error', reject)
  sent.end(body)
  return await promise.catch((cause: unknown) => {
    throw httpError(cause, url, timeoutMs)
  })
}

/** Dates, which the header may hold too, are not read (RFC 9110 section 10.2.3). */
const retryAfter = (header: string | undefined): Pick<HttpAnswer, 'retryAfterMs'> =>
  header !== undefined && /^\d{1,5}$/.test(header) ? { retryAfterMs: Number(header) * 1000 } : {}

/** Connections that are kept between requests to one server. */
export class HttpConnections {
  readonly http: HttpAgent
  readonly https: HttpsAgent

  /**
   * A connection idle for longer than `idleMs` is closed: the server may do so just when it is used again. `proxyUrl`, perhaps
   * with user and password, is an HTTP proxy that all of them go through.
   */
  constructor({ maxSockets, idleMs, proxyUrl }: ConnectionSettings) {
    const proxy = proxyUrl === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl } }
    const settings = { keepAlive: true, maxSockets, timeout: idleMs, ...proxy }
    this.http = new HttpAgent(settings)
    this.https = new HttpsAgent(settings)
  }

  close(): void {
    this.http.destroy()
    this.https.destroy()
  }
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const isCompressed = response.headers['content-encoding'] === 'gzip'
  const stream = isCompressed ? response.pipe(createGunzip()) : response
  // What the pipe does not carry over: an answer that is cut off.
  if (isCompressed) response.on('error', error => stream.destroy(error))
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBytes) {
      response.destroy()
      throw new HttpError('TooLong', `the answer is longer than ${maxBytes} bytes`)
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

function httpError(cause: unknown, url: string, timeoutMs: number): HttpError {
  const { origin } = new URL(url)
  if (cause instanceof HttpError) return new HttpError(cause.trouble, `${origin}: ${cause.message}`)
  const { code = '', name, message } = cause as NodeJS.ErrnoException
  const trouble = isUntrusted(cause) ? 'Untrusted' : 'Unreachable'
  // Of several addresses that all failed there is only a code.
  const reason = name === 'AbortError' ? `no answer within ${timeoutMs / 1000} s` : message || code
  return new HttpError(trouble, `${origin}: ${reason}`)
}
