import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { FatalError, RetryableError, errorText } from '../../lib/errors.ts'
import { nameOf, statusOf } from './s3-errors.ts'

/** What a person can change when the consumer has no identity that works, in a pod or at their own machine; `SINK` stands for the sink's field. */
const REMEDY =
  'Put keys into a Secret and name it in SINK.s3.credentialsSecretRef, or give the service account of the consumers ' +
  '(spec.consumer.serviceAccountName) a role: with web identity AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are set in its pods, ' +
  'and the trust policy of the role allows it sts:AssumeRoleWithWebIdentity. On a machine of your own, AWS_PROFILE or ' +
  'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY do'

/** Refusals of the token service that do not pass by themselves; that a token has expired does, its file is renewed. */
const REFUSALS = new Set([
  'AccessDenied',
  'IDPRejectedClaim',
  'InvalidIdentityToken',
  'InvalidParameterValue',
  'RegionDisabled',
  'ValidationError'
])

/** Of invalid tokens those that may be valid later: AWS could not fetch the issuer's keys; MinIO tells so that one has expired. */
const PASSING = /verification key|expired/i

/**
 * The environment's own identity: keys, a role by web identity, that of a container or of the machine; asked for again as what it
 * gave expires. Errors are in our terms, and name the sink's `field`.
 */
export function environmentIdentity(field: string): ReturnType<typeof defaultProvider> {
  const identity = defaultProvider()
  let hasWorked = false
  return async properties => {
    try {
      const credentials = await identity(properties)
      hasWorked = true
      return credentials
    } catch (error) {
      throw classifyIdentity(error, field, hasWorked)
    }
  }
}

/** What was not there from the beginning never comes; what has worked may be away for a while. */
function classifyIdentity(error: unknown, field: string, hasWorked: boolean): Error {
  const [name, status] = [nameOf(error), statusOf(error)]
  const fatal = (reason: string, what: string) =>
    new FatalError(reason, `${what}: ${errorText(error)}. ${REMEDY.replaceAll('SINK', field)}.`, { cause: error })
  // The SDK puts Exception to those names that it knows.
  const isRefusal = REFUSALS.has(name.replace(/Exception$/, '')) && !PASSING.test(errorText(error))
  if (status !== undefined && status < 500 && isRefusal)
    return fatal('S3IdentityDenied', `The identity for S3 is refused (${name})`)
  const isAbsent = name === 'CredentialsProviderError' || (error as NodeJS.ErrnoException).syscall === 'open'
  if (isAbsent && !hasWorked) return fatal('S3IdentityMissing', 'There is no identity for S3 here')
  return new RetryableError('S3IdentityUnavailable', `The identity for S3 cannot be had: ${errorText(error)}`, {
    cause: error
  })
}
