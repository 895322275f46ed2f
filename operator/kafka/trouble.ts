import { FatalError, RetryableError, errorText } from '../../lib/errors.ts'

const AUTHENTICATION = new Set(['SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE'])
const AUTHORIZATION = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED'
])

/**
 * Trouble with the source as it is shown in the resource: its code is a condition's reason, its message has no secret. All
 * of it is retryable for the operator: the cluster, the Secret or the user may be put right at any time.
 */
export function sourceTrouble(error: unknown): RetryableError {
  if (error instanceof RetryableError) return error
  const options = { cause: error }
  if (error instanceof FatalError) return new RetryableError(error.reason, error.message, options)
  const { names, types } = kindsOf(error)
  const [type] = types
  if (names.has('KafkaJSSASLAuthenticationError') || [...types].some(found => AUTHENTICATION.has(found))) {
    return new RetryableError(
      'SourceAuthenticationFailed',
      'the broker refuses the mechanism or the credentials of spec.source.security',
      options
    )
  }
  const refused = [...types].find(found => AUTHORIZATION.has(found))
  if (refused !== undefined) {
    return new RetryableError(
      'SourceAuthorizationFailed',
      `the broker answers ${refused}: allow Describe on the topics and on spec.source.groupId`,
      options
    )
  }
  if (type !== undefined) return new RetryableError('SourceTrouble', `the broker answers ${type}`, options)
  return new RetryableError('SourceUnreachable', `no broker answers: ${errorText(error)}`, options)
}

/** Topics that the broker lets us know nothing of; the others of the pipeline are read all the same. */
export function topicsRefused(topics: readonly string[]): RetryableError {
  const named = topics.toSorted().slice(0, NAMED_AT_MOST).join(', ')
  const more = topics.length > NAMED_AT_MOST ? ` and ${topics.length - NAMED_AT_MOST} more` : ''
  return new RetryableError(
    'SourceAuthorizationFailed',
    `the broker answers TOPIC_AUTHORIZATION_FAILED: allow Describe on ${named}${more}`
  )
}

const NAMED_AT_MOST = 3

/** Names of kafkajs' errors and of protocol errors anywhere in the chain of causes. */
function kindsOf(error: unknown): { readonly names: ReadonlySet<string>; readonly types: ReadonlySet<string> } {
  const [names, types] = [new Set<string>(), new Set<string>()]
  const seen = new Set<unknown>()
  let current: unknown = error
  while (current instanceof Error && !seen.has(current)) {
    seen.add(current)
    names.add(current.name)
    const { type, originalError } = current as { type?: unknown; originalError?: unknown }
    if (typeof type === 'string' && type !== 'UNKNOWN') types.add(type)
    current = current.cause ?? originalError
  }
  return { names, types }
}
