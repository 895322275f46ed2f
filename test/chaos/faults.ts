/** What a proxy does to a request. */
export type Fault =
  | { readonly kind: 'none' }
  /** Waits before the request goes on: others overtake it. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** 500, 502 or 503 (a store: 503, as when it is busy); the request has no effect. */
  | { readonly kind: 'unavailable'; readonly status: number }
  /** 409 from a catalog, as if another writer had been faster; the request has no effect. */
  | { readonly kind: 'conflict' }
  /** The connection is reset before the request takes effect. */
  | { readonly kind: 'resetBefore' }
  /** The request takes effect, and the connection is reset before its response. */
  | { readonly kind: 'loseResponse' }
  /** The request takes effect, and is answered 500, 502 or 504. */
  | { readonly kind: 'failAfter'; readonly status: number }
  /** The request takes effect, is sent again, and the second answer is given: to a catalog's commit 409, caused by itself. */
  | { readonly kind: 'repeat' }
  /** The response ends in the middle of its body. */
  | { readonly kind: 'cutResponse' }

export type FaultKind = Exclude<Fault['kind'], 'none'>

/** What a proxy stands before. */
export type Protocol = 's3' | 'catalog' | 'snowflake'

export interface RequestKind {
  readonly protocol: Protocol
  readonly method: string
  /** S3: a PUT with If-None-Match or If-Match. Catalog: a commit to one table or to several. Snowflake: a COMMIT. */
  readonly isCommit: boolean
  /** Snowflake's statements are all POST: whether this one changes nothing. */
  readonly isRead?: boolean
}

/** Likelihoods per request. */
type Likelihoods = readonly (readonly [FaultKind, number])[]

const WRITES: Likelihoods = [
  ['loseResponse', 0.03],
  ['resetBefore', 0.02],
  ['unavailable', 0.02],
  ['delay', 0.04]
]
const COMMITS: Likelihoods = [
  ['loseResponse', 0.05],
  ['resetBefore', 0.02],
  ['unavailable', 0.02],
  // Delays make writers of the same version meet.
  ['delay', 0.15]
]
const CATALOG_COMMITS: Likelihoods = [...COMMITS, ['conflict', 0.03], ['failAfter', 0.04], ['repeat', 0.02]]
// The driver repeats a request by itself, with its id: it must have its effect once.
const STATEMENTS: Likelihoods = [
  ['loseResponse', 0.02],
  ['resetBefore', 0.01],
  ['unavailable', 0.01],
  ['failAfter', 0.01],
  ['repeat', 0.01],
  ['delay', 0.04]
]
const SNOWFLAKE_COMMITS: Likelihoods = [...COMMITS, ['failAfter', 0.04], ['repeat', 0.02]]
const READS: Likelihoods = [
  ['cutResponse', 0.005],
  ['resetBefore', 0.005],
  ['unavailable', 0.005],
  ['delay', 0.01]
]

/** Chooses by `random`, which is in [0, 1). */
export function chooseFault(request: RequestKind, random: () => number): Fault {
  let left = random()
  for (const [kind, likelihood] of likelihoodsOf(request)) {
    if (left < likelihood) return faultOf(kind, request.protocol, random)
    left -= likelihood
  }
  return { kind: 'none' }
}

function likelihoodsOf({ protocol, method, isCommit, isRead = false }: RequestKind): Likelihoods {
  if (method === 'GET' || method === 'HEAD' || isRead) return READS
  if (protocol === 'snowflake') return isCommit ? SNOWFLAKE_COMMITS : STATEMENTS
  if (!isCommit) return WRITES
  return protocol === 'catalog' ? CATALOG_COMMITS : COMMITS
}

function faultOf(kind: FaultKind, protocol: Protocol, random: () => number): Fault {
  const oneOf = (...statuses: number[]) => statuses[Math.floor(random() * statuses.length)] ?? 500
  if (kind === 'delay') return { kind, ms: 20 + Math.floor(random() * 480) }
  if (kind === 'unavailable') return { kind, status: protocol === 'catalog' ? oneOf(500, 502, 503) : 503 }
  if (kind === 'failAfter') return { kind, status: oneOf(500, 502, 504) }
  return { kind }
}
