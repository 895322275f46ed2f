import type { SchemaRegistryOptions } from '../../crds/settled.ts'
import { RetryableError } from '../../lib/errors.ts'
import { HttpError, fetchText } from '../../lib/http.ts'
import type { ReadSecret } from '../../lib/secrets.ts'

/** Asks the registry for the JSON at a path. RetryableError when it cannot answer now, or refuses us: both may pass. */
export type Get = (path: string) => Promise<Answer>

/** absent: the registry says so itself (an error code of 404xx), not what stands before it. refused: any other 4xx. */
export type Answer =
  | { readonly kind: 'found'; readonly json: unknown }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly status: number }

const LIMITS = { timeoutMs: 10_000, maxAnswerBytes: 4 << 20 }
const ACCEPT = 'application/vnd.schemaregistry.v1+json, application/json;q=0.9'

/** Secrets are read for each request: there are few, and so a rotation is seen. */
export function registryGet({ url, credentialsSecret, caSecret }: SchemaRegistryOptions, readSecret: ReadSecret): Get {
  return async path => {
    const ca = caSecret === undefined ? undefined : await readSecret(caSecret, 'ca.crt')
    const authorization = credentialsSecret === undefined ? undefined : await credentials(credentialsSecret, readSecret)
    const headers = { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) }
    const request = { method: 'GET', url: `${url}${path}`, headers } as const
    const { status, body } = await fetchText(request, { ...LIMITS, ca }).catch((cause: unknown) => {
      throw cause instanceof HttpError ? unreachable(cause) : cause
    })
    return answerOf(status, body)
  }
}

async function credentials(secret: string, readSecret: ReadSecret): Promise<string> {
  const [username, password, token] = await Promise.all(
    ['username', 'password', 'token'].map(key => readSecret(secret, key))
  )
  if (username !== undefined) return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  if (token !== undefined) return `Bearer ${token}`
  throw new RetryableError(
    'RegistryCredentialsMissing',
    `the Secret ${secret} of spec.source.schemaRegistry has neither username nor token`
  )
}

function answerOf(status: number, body: string): Answer {
  if (status === 401 || status === 403)
    throw new RetryableError('RegistryUnauthorized', `the schema registry refuses the credentials (HTTP ${status})`)
  if (status === 429 || status >= 500)
    throw new RetryableError('RegistryUnavailable', `the schema registry answers HTTP ${status}`)
  const json = parse(body)
  if (status === 404 && isAbsence(json)) return { kind: 'absent' }
  if (status >= 400 && status < 500) return { kind: 'refused', status }
  if (status !== 200 || json === undefined)
    throw new RetryableError('RegistryMisanswered', `the schema registry answers HTTP ${status} without JSON`)
  return { kind: 'found', json }
}

/** Codes of the registry begin with the status: 40403 is a schema that is not found. */
function isAbsence(json: unknown): boolean {
  const code = typeof json === 'object' && json !== null && 'error_code' in json ? json.error_code : undefined
  return typeof code === 'number' && (code === 404 || Math.floor(code / 100) === 404)
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const unreachable = (cause: HttpError): RetryableError =>
  new RetryableError('RegistryUnreachable', 'the schema registry cannot be reached', { cause })
