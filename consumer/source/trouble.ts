import { ProtocolError, protocolErrorsCodesById } from '@platformatic/kafka'
import { FatalError, RetryableError, errorText } from '../../lib/errors.ts'

/** Names of protocol errors (`NOT_COORDINATOR`) and codes of library, system and TLS errors found anywhere in `error`. */
export function errorIds(error: unknown): ReadonlySet<string> {
  const ids = new Set<string>()
  const seen = new Set<unknown>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    const { apiId, code, cause, errors } = value as {
      apiId?: unknown
      code?: unknown
      cause?: unknown
      errors?: unknown
    }
    if (typeof apiId === 'string') ids.add(apiId)
    if (typeof code === 'string') ids.add(code)
    visit(cause)
    if (Array.isArray(errors)) for (const inner of errors) visit(inner)
  }
  visit(error)
  return ids
}

/** Throws for any error code but 0. */
export function checkCode(errorCode: number): void {
  if (errorCode === 0) return
  if (protocolErrorsCodesById[errorCode] !== undefined) throw new ProtocolError(errorCode)
  throw new RetryableError('SourceTrouble', `the broker answers with error code ${errorCode}, which is not known`)
}

/**
 * What `error` means to the caller of the source. A FatalError names the field at fault; what is not an error of the
 * cluster or of the network is returned as it is: a defect. Ours may lie within the library's: a secret is read while
 * it connects.
 */
export function sourceError(error: unknown): Error {
  const ours = find(error, candidate => candidate instanceof FatalError || candidate instanceof RetryableError)
  if (ours !== undefined) return ours
  const defect = find(error, candidate => candidate instanceof TypeError || candidate instanceof ReferenceError)
  if (defect !== undefined) return defect
  const ids = errorIds(error)
  const options = { cause: error }
  const fatal = fatalReason(error, ids)
  if (fatal !== undefined) return new FatalError(fatal[0], fatal[1], options)
  if (ids.size === 0) return error instanceof Error ? error : new Error(errorText(error), options)
  const protocolError = [...ids].find(id => /^[A-Z_]+$/.test(id) && !id.startsWith('PLT_') && !id.startsWith('E'))
  if (protocolError !== undefined && !ids.has('PLT_KFK_NETWORK')) {
    return new RetryableError('SourceTrouble', `the Kafka cluster answers ${protocolError}`, options)
  }
  return new RetryableError('SourceUnreachable', 'no broker of spec.source.bootstrapServers can be reached', options)
}

const PROTOCOL_REASONS: Readonly<Record<string, readonly [string, string]>> = {
  FENCED_INSTANCE_ID: [
    'InstanceFenced',
    'Another process joined the consumer group under the name of this one and took its place. ' +
      'Give each process its own name; two pipelines must not share spec.source.groupId.'
  ],
  INCONSISTENT_GROUP_PROTOCOL: [
    'GroupInUse',
    'The consumer group is in use by another application. Give this pipeline its own spec.source.groupId.'
  ],
  INVALID_GROUP_ID: ['GroupInvalid', 'The broker refuses spec.source.groupId.'],
  INVALID_SESSION_TIMEOUT: [
    'SessionTimeoutRefused',
    'The session time-out is outside group.min.session.timeout.ms and group.max.session.timeout.ms of the broker.'
  ],
  GROUP_AUTHORIZATION_FAILED: [
    'SourceAuthorizationFailed',
    'The user of spec.source.security may not use the consumer group: allow Read on the group spec.source.groupId.'
  ],
  TOPIC_AUTHORIZATION_FAILED: [
    'SourceAuthorizationFailed',
    'The user of spec.source.security may not read a topic: allow Read and Describe on the topics of spec.topics.'
  ],
  CLUSTER_AUTHORIZATION_FAILED: [
    'SourceAuthorizationFailed',
    'The user of spec.source.security may not use the cluster.'
  ],
  UNSUPPORTED_SASL_MECHANISM: [
    'SourceAuthenticationFailed',
    'The broker does not offer spec.source.security.mechanism on this listener.'
  ],
  ILLEGAL_SASL_STATE: [
    'SourceAuthenticationFailed',
    'The listener takes no SASL: check spec.source.security.protocol and the port in spec.source.bootstrapServers.'
  ],
  SASL_AUTHENTICATION_FAILED: [
    'SourceAuthenticationFailed',
    'The broker refuses the credentials of spec.source.security.credentialsSecretRef.'
  ]
}

/** OpenSSL's and Node's codes for a certificate that does not convince one side; retrying never helps. */
const TLS_CODES =
  /^(ERR_TLS_CERT|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)|CERT_|ERR_OSSL_)/

function fatalReason(error: unknown, ids: ReadonlySet<string>): readonly [string, string] | undefined {
  for (const [id, reason] of Object.entries(PROTOCOL_REASONS)) if (ids.has(id)) return reason
  if ([...ids].some(id => TLS_CODES.test(id))) {
    return [
      'SourceTlsFailed',
      `TLS with the broker fails (${[...ids].find(id => TLS_CODES.test(id))}): check caSecretRef and ` +
        'clientCertificateSecretRef of spec.source.security, and that the certificates name the brokers.'
    ]
  }
  if (errorText(error).includes('Broker requires TLS')) {
    return ['SourceTlsFailed', 'The listener speaks TLS: set spec.source.security.protocol to SSL or SASL_SSL.']
  }
  // The library wraps a connection lost during the handshake in the same class as refused credentials.
  const refusal = find(error, candidate => 'code' in candidate && candidate.code === 'PLT_KFK_AUTHENTICATION')
  const innerIds = errorIds(refusal)
  if (refusal !== undefined && !innerIds.has('PLT_KFK_NETWORK') && !innerIds.has('PLT_KFK_TIMEOUT')) {
    return PROTOCOL_REASONS['SASL_AUTHENTICATION_FAILED']
  }
  return undefined
}

/** The first error that `isWanted` among `error`, its causes and the errors it gathers. */
function find(error: unknown, isWanted: (candidate: Error) => boolean): Error | undefined {
  if (!(error instanceof Error)) return undefined
  if (isWanted(error)) return error
  const gathered: readonly unknown[] = error instanceof AggregateError ? error.errors : []
  for (const candidate of [error.cause, ...gathered]) {
    const found = find(candidate, isWanted)
    if (found !== undefined) return found
  }
  return undefined
}
