import { FatalError, RetryableError } from '../../../../lib/errors.ts'
import { fieldOf, textAt } from './answer.ts'

/** What a catalog answered, with the error it described, if it did (REST protocol, `ErrorModel`). */
export interface Refusal {
  readonly status: number
  readonly type: string | undefined
  readonly message: string | undefined
}

const FIELD = 'spec.sink.iceberg.catalog'
const MAX_MESSAGE_CHARACTERS = 400

/**
 * An answer that is no success, in our terms. Answers 408, 425, 429 and 5xx may pass; all others need a person. After 5xx it
 * is unknown whether a change took effect.
 */
export function refusalError(refusal: Refusal, what: string): FatalError | RetryableError {
  const { status } = refusal
  const said = `${what}: the catalog answers ${describe(refusal)}`
  if (status === 429) return new RetryableError('CatalogThrottled', said)
  if (status === 408 || status === 425 || (status >= 500 && status !== 501 && status !== 505))
    return new RetryableError('CatalogUnavailable', said)
  // A writer whose clock is fast left a snapshot of the future: time heals it.
  if (status === 400 && /\binvalid update timestamp\b/i.test(refusal.message ?? ''))
    return new RetryableError('ClocksDiffer', `${said}. Set the clocks of consumers, other writers and catalog alike.`)
  if (status >= 300 && status < 400)
    return new FatalError('CatalogRedirects', `${said}. Put the address that it means into ${FIELD}.uri.`)
  const [reason, remedy] = REMEDIES[status] ?? [
    'CatalogRefuses',
    `Check ${FIELD} and that the catalog speaks the Iceberg REST protocol.`
  ]
  return new FatalError(reason, `${said}. ${remedy}`)
}

/**
 * Who was served before and is refused now may be served again: credentials are rotated, and catalogs whose identity provider is
 * away answer 401. Only at the start is it surely for a person.
 */
export const passing = (error: unknown): unknown =>
  error instanceof FatalError && error.reason === AUTHENTICATION[0]
    ? new RetryableError(error.reason, error.message, { cause: error.cause })
    : error

const AUTHENTICATION = [
  'CatalogAuthenticationFailed',
  `Correct the Secret of ${FIELD}.credentialsSecretRef (key token, or clientId and clientSecret), tokenEndpoint or scope.`
] as const
const LACKING = [
  'CatalogLacksOperation',
  `Use a catalog that serves the operation, or correct ${FIELD}.uri (without /v1).`
] as const

/** By status: the reason and what to do. */
const REMEDIES: Readonly<Record<number, readonly [reason: string, remedy: string]>> = {
  401: AUTHENTICATION,
  419: AUTHENTICATION,
  403: [
    'CatalogAccessDenied',
    `Allow the identity in ${FIELD}.credentialsSecretRef to create namespaces and to create, load and commit tables.`
  ],
  404: ['CatalogNotFound', `Correct ${FIELD}.uri (without /v1) or warehouse.`],
  405: LACKING,
  406: LACKING,
  501: LACKING,
  505: LACKING
}

function describe({ status, type, message }: Refusal): string {
  const text = [type, message?.replaceAll(/\s+/g, ' ').slice(0, MAX_MESSAGE_CHARACTERS)].filter(Boolean).join(': ')
  return text === '' ? `HTTP ${status}` : `HTTP ${status} (${text})`
}

/** The error a body describes; nothing when it is not the protocol's. */
export function parseRefusal(status: number, body: unknown): Refusal {
  const error = fieldOf(body, 'error')
  return { status, type: textAt(error, 'type'), message: textAt(error, 'message') }
}

/** Whether an answer comes from a catalog: proxies and load balancers have pages, or nothing. Some catalogs have only a code. */
export const isProtocolError = (body: unknown): boolean =>
  (typeof fieldOf(body, 'error') === 'object' && fieldOf(body, 'error') !== null) ||
  fieldOf(body, 'error_code') !== undefined
