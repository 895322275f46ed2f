import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto'

/** "The maximum is 1 hour" (developer-guide/sql-api/authenticating, "Using key-pair authentication"). */
export const JWT_LIFE_MS = 55 * 60_000
/** Clocks differ. */
const EARLIER_MS = 60_000

export interface KeyPair {
  readonly account: string
  readonly user: string
  readonly privateKey: KeyObject
}

/**
 * A token that proves the key: RS256, issued by `ACCOUNT.USER.SHA256:<fingerprint>` for `ACCOUNT.USER`, in upper case
 * (developer-guide/sql-api/authenticating). The account is without its region.
 */
export function keyPairJwt({ account, user, privateKey }: KeyPair, nowMs: number): string {
  const subject = `${account.replace(/\..*$/, '')}.${user}`.toUpperCase()
  const seconds = (ms: number) => Math.floor(ms / 1000)
  const issued = nowMs - EARLIER_MS
  const claims = {
    iss: `${subject}.${fingerprint(privateKey)}`,
    sub: subject,
    iat: seconds(issued),
    exp: seconds(nowMs + JWT_LIFE_MS)
  }
  const signed = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`
}

/** As DESC USER shows it in RSA_PUBLIC_KEY_FP. */
export function fingerprint(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
