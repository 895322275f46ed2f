import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { TestContext } from 'node:test'
import { serveHttp } from '../../fakes/http-server.ts'

/** Who the tokens are for, as EKS has it. */
const AUDIENCE = 'sts.amazonaws.com'

/** What a pod's token says, beside who made it. */
export interface Claims {
  readonly audience?: string
  readonly expiresAtMs: number
}

export interface Issuer {
  /** For a MinIO that lets its tokens in as a role that may read and write. */
  readonly env: NodeJS.ProcessEnv
  readonly role: string
  readonly token: (claims: Claims) => string
}

/** A Kubernetes cluster as a token service sees it: it signs the tokens of service accounts, and tells its key (OpenID Connect). */
export async function startIssuer(context: TestContext): Promise<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }
  const url: string = await serveHttp(context, (request, response) => {
    const discovery = {
      issuer: url,
      jwks_uri: `${url}/keys`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256']
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [key] } : discovery))
  })
  const token = ({ audience = AUDIENCE, expiresAtMs }: Claims): string => {
    const [exp, sub] = [Math.floor(expiresAtMs / 1000), 'system:serviceaccount:lakehouse:bronze']
    const parts = [
      { alg: 'RS256', kid: '1', typ: 'JWT' },
      { iss: url, aud: audience, sub, iat: exp - 3600, exp }
    ]
    const text = parts.map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`
  }
  return {
    env: {
      MINIO_IDENTITY_OPENID_CONFIG_URL: `${url}/.well-known/openid-configuration`,
      MINIO_IDENTITY_OPENID_CLIENT_ID: AUDIENCE,
      MINIO_IDENTITY_OPENID_ROLE_POLICY: 'readwrite'
    },
    role: `arn:minio:iam:::role/${createHash('sha1').update(AUDIENCE).digest('base64url')}`,
    token
  }
}
