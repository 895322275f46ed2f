import type { OwnerReference } from './kube.ts'

/**
 * The service account whose token it is, by the claims that Kubernetes puts there; undefined when the token does not say, or
 * the account is of another namespace, where it can own nothing. What it owns goes when it does: an uninstall takes it away,
 * a new version of the operator does not.
 */
export function ownerByToken(token: string, namespace: string): OwnerReference | undefined {
  const claims = claimsOf(token)?.['kubernetes.io']
  const { name, uid } = claims?.serviceaccount ?? {}
  if (claims?.namespace !== namespace || typeof name !== 'string' || typeof uid !== 'string') return undefined
  return { apiVersion: 'v1', kind: 'ServiceAccount', name, uid }
}

interface Claims {
  readonly 'kubernetes.io'?: {
    readonly namespace?: unknown
    readonly serviceaccount?: { readonly name?: unknown; readonly uid?: unknown }
  }
}

function claimsOf(token: string): Claims | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims | null
    return claims ?? undefined
  } catch {
    return undefined
  }
}
