import { FatalError, RetryableError, errorText } from '../../lib/errors.ts'
import { isUntrusted } from '../../lib/trust.ts'

interface S3Error {
  readonly name?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

export const statusOf = (error: unknown): number | undefined =>
  (error as S3Error | undefined)?.$metadata?.httpStatusCode

export const nameOf = (error: unknown): string => (error as S3Error | undefined)?.name ?? ''

/** The object is absent, as the store itself says; a bucket that is absent, or a page of a proxy's, is another matter. */
export const isAbsent = (error: unknown): boolean => statusOf(error) === 404 && nameOf(error) === 'NoSuchKey'

/** Answers that only a person can change, by S3 error code, with what to change; `SINK` stands for the sink's field. */
const FATAL: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Create the bucket or correct SINK.location',
  InvalidBucketName: 'Correct the bucket in SINK.location',
  AllAccessDisabled: 'Use another bucket in SINK.location',
  InvalidAccessKeyId: 'Correct the Secret in SINK.s3.credentialsSecretRef',
  SignatureDoesNotMatch: 'Correct the Secret in SINK.s3.credentialsSecretRef',
  AuthorizationHeaderMalformed: 'Correct SINK.s3.region',
  PermanentRedirect: 'Correct SINK.s3.region',
  NotImplemented: 'The service lacks an operation that is needed; use another one in SINK.s3.endpoint'
}

const ACCESS =
  'Allow the identity in SINK.s3.credentialsSecretRef (or of the service account) ' +
  's3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on SINK.location, and kms:GenerateDataKey and kms:Decrypt ' +
  'on the key if its objects are encrypted with one'

const ENCRYPTION =
  'Name in SINK.s3.encryption what the service supports: a key that is enabled, in the region of the bucket, and of which the ' +
  'identity may kms:GenerateDataKey and kms:Decrypt'

const TRUST =
  'Put the authority that signed the certificate of SINK.s3.endpoint as ca.crt into the Secret of ' +
  'SINK.s3.caSecretRef, or correct the endpoint'

/** Codes that come with 403 and pass by themselves: credentials are read again each minute, clocks are set. */
const PASSING = new Set([
  'ExpiredToken',
  'TokenRefreshRequired',
  'RequestTimeTooSkewed',
  'RequestExpired',
  'ExpiredTokenException'
])

/** What S3 and gateways say of a key, or of encryption, in answers that stand for much else too. */
const ABOUT_ENCRYPTION =
  /\bkms:[A-Z][a-z]|\bKMS (?:key|is not|not)\b|server[- ]side[- ]encryption|customer master key|\bSSE-/i

const isEncryptionRefused = (name: string, status: number | undefined, text: string): boolean => {
  // AWS has names like KMS.DisabledException, MinIO like kms:KeyNotFound.
  if (/^kms[.:]/i.test(name)) return !/throttl|internal|timeout|limit|unavailable/i.test(name)
  const isRefusal = status === 400 || status === 501 || isDenied(name, status)
  return isRefusal && !PASSING.has(name) && ABOUT_ENCRYPTION.test(text)
}

/** An error of the S3 client in our terms. Whatever is not certain is retryable, and its outcome unknown. */
export function classify(error: unknown, where: string, field: string): unknown {
  if (error instanceof FatalError || error instanceof RetryableError) return error
  const [name, status, said] = [nameOf(error), statusOf(error), errorText(error).replace(/\.$/, '')]
  if (isUntrusted(error)) {
    return new FatalError('S3CertificateUntrusted', `${where}: ${said}. ${TRUST.replaceAll('SINK', field)}.`, {
      cause: error
    })
  }
  if (isEncryptionRefused(name, status, said)) {
    return new FatalError(
      'S3EncryptionRefused',
      `${where}: ${name}: ${said}. ${ENCRYPTION.replaceAll('SINK', field)}.`,
      { cause: error }
    )
  }
  const remedy = FATAL[name] ?? (isDenied(name, status) ? ACCESS : undefined)
  if (remedy !== undefined) {
    const reason = FATAL[name] === undefined ? 'S3AccessDenied' : `S3${name}`
    return new FatalError(reason, `${where}: ${said}. ${remedy.replaceAll('SINK', field)}.`, {
      cause: error
    })
  }
  // What our own generators and decoders throw is not the store's trouble.
  if (status === undefined && (error instanceof TypeError || error instanceof RangeError)) return error
  return new RetryableError(codeOf(name, status), `${where}: ${errorText(error)}`, { cause: error })
}

const isDenied = (name: string, status: number | undefined): boolean =>
  (status === 401 || status === 403 || name === 'AccessDenied') && !PASSING.has(name)

function codeOf(name: string, status: number | undefined): string {
  if (name === 'CredentialsProviderError') return 'S3Credentials'
  if (status === 409) return 'S3Conflict'
  if (status === 429 || status === 503 || name === 'SlowDown') return 'S3Throttled'
  return status === undefined ? 'S3Unreachable' : 'S3Unavailable'
}
