/** What the proxy does to a request. */
export type Fault =
  | { readonly kind: 'none' }
  /** Waits before the request goes on: others overtake it. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** 503, as a store says when it is busy; the request has no effect. */
  | { readonly kind: 'unavailable' }
  /** The connection is reset before the request takes effect. */
  | { readonly kind: 'resetBefore' }
  /** The request takes effect, and the connection is reset before its response. */
  | { readonly kind: 'loseResponse' }
  /** The response ends in the middle of its body. */
  | { readonly kind: 'cutResponse' }

export type FaultKind = Exclude<Fault['kind'], 'none'>

export interface RequestKind {
  readonly method: string
  /** A PUT with If-None-Match or If-Match. */
  readonly isConditional: boolean
}

/** Likelihoods of each fault, per request. */
const WRITES: readonly (readonly [FaultKind, number])[] = [
  ['loseResponse', 0.03],
  ['resetBefore', 0.02],
  ['unavailable', 0.02],
  ['delay', 0.04]
]
const CONDITIONAL_WRITES: readonly (readonly [FaultKind, number])[] = [
  ['loseResponse', 0.05],
  ['resetBefore', 0.02],
  ['unavailable', 0.02],
  // Delays make writers of the same version meet.
  ['delay', 0.15]
]
const READS: readonly (readonly [FaultKind, number])[] = [
  ['cutResponse', 0.005],
  ['resetBefore', 0.005],
  ['unavailable', 0.005],
  ['delay', 0.01]
]

/** Chooses by `random`, which is in [0, 1). */
export function chooseFault({ method, isConditional }: RequestKind, random: () => number): Fault {
  const likelihoods = method === 'GET' || method === 'HEAD' ? READS : isConditional ? CONDITIONAL_WRITES : WRITES
  let left = random()
  for (const [kind, likelihood] of likelihoods) {
    if (left < likelihood) return kind === 'delay' ? { kind, ms: 20 + Math.floor(random() * 480) } : { kind }
    left -= likelihood
  }
  return { kind: 'none' }
}
