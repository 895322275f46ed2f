import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { S3Options } from '../../crds/s3-options.ts'
import { FatalError } from '../../lib/errors.ts'
import type { ReadSecret } from '../../lib/secrets.ts'
import { environmentIdentity } from './s3-identity.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** Without a byte either way; the whole of a request may take longer. */
const IDLE_TIMEOUT_MS = 30_000
const MAX_SOCKETS = 32
/** How long a secret file's contents are used before it is read again. */
const CREDENTIALS_REFRESH_MS = 60_000
/** The SDK takes credentials for expired this long before they are. */
const SDK_EXPIRY_WINDOW_MS = 300_000

/** Who uses a store, and how. */
export interface S3Use {
  /** The sink's field, for errors: `spec.sink.delta`. */
  readonly field: string
  /** Whether objects are created "only if absent": then the service must prove first that it keeps to that. */
  readonly isConditional: boolean
  /** Asked when those it gave last expire; they go before the Secret and the environment's own identity. */
  readonly credentials?: () => Promise<S3Credentials>
}

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** Undefined: they last. */
  readonly expiration?: Date
}

/** Configuration of an S3 client; the secrets are read. */
export async function clientOptions(
  { endpoint, region, forcePathStyle, credentialsSecret, caSecret }: S3Options,
  readSecret: ReadSecret,
  { field, credentials }: S3Use
) {
  const ca = caSecret === undefined ? undefined : await readSecret(caSecret, 'ca.crt')
  if (caSecret !== undefined && ca === undefined) {
    throw new FatalError('SecretMissing', `Secret ${caSecret} (${field}.s3.caSecretRef) has no key ca.crt.`)
  }
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS }
  return {
    region,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    // Newer defaults add trailing checksums, which gateways refuse or store as part of the object.
    requestChecksumCalculation: 'WHEN_REQUIRED' as const,
    responseChecksumValidation: 'WHEN_REQUIRED' as const,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({ ...agent, ...(ca === undefined ? {} : { ca }) })
    },
    credentials:
      credentials ??
      (credentialsSecret === undefined
        ? environmentIdentity(field)
        : secretCredentials(credentialsSecret, readSecret, field))
  }
}

/** Credentials that expire for the SDK after a minute, so that a rotated secret is taken up. */
function secretCredentials(secret: string, readSecret: ReadSecret, field: string) {
  const required = async (key: string): Promise<string> => {
    const value = await readSecret(secret, key)
    if (value !== undefined && value.trim() !== '') return value.trim()
    throw new FatalError('SecretMissing', `Secret ${secret} (${field}.s3.credentialsSecretRef) has no key ${key}.`)
  }
  return async () => {
    const sessionToken = (await readSecret(secret, 'sessionToken'))?.trim()
    return {
      accessKeyId: await required('accessKeyId'),
      secretAccessKey: await required('secretAccessKey'),
      ...(sessionToken === undefined || sessionToken === '' ? {} : { sessionToken }),
      expiration: new Date(Date.now() + CREDENTIALS_REFRESH_MS + SDK_EXPIRY_WINDOW_MS)
    }
  }
}
