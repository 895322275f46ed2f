/** What a proxy does to one request. */
export type Fault =
  /** Answers itself; nothing reaches the server. */
  | { readonly do: 'refuse'; readonly status: number; readonly retryAfterSeconds?: number }
  /** Takes the request and never answers. */
  | { readonly do: 'stall' }
  /** Closes the connection before anything is sent on. */
  | { readonly do: 'reset' }
  /** Passes on, and closes the connection once so many bytes of the answer have passed. */
  | { readonly do: 'cut'; readonly afterBytes: number }
  /** Passes on, and says nothing more once so many bytes have passed; the connection stays. */
  | { readonly do: 'hush'; readonly afterBytes: number }
  /** Passes the answer on byte by byte. */
  | { readonly do: 'drip' }
  /** What was asked takes effect; the answer is lost. */
  | { readonly do: 'lose' }

export interface ProxiedRequest {
  readonly method: string
  readonly path: string
  readonly isWatch: boolean
  /** A list of a kind, or a page of it. */
  readonly isList: boolean
}

export type FaultPlan = (request: ProxiedRequest) => Fault | undefined

/** Of every kind of request this share, between 0 and 1, goes wrong, each time in one of the ways that it can. */
export function seededPlan(seed: number, share: number, { hasStalls = true } = {}): FaultPlan {
  const random = seededRandom(seed)
  const bytes = (most: number) => Math.floor(random() * most)
  const whole: readonly (() => Fault)[] = [
    () => ({ do: 'refuse', status: 429, retryAfterSeconds: 1 }),
    () => ({ do: 'refuse', status: 500 }),
    () => ({ do: 'refuse', status: 503 }),
    () => ({ do: 'reset' }),
    ...(hasStalls ? [(): Fault => ({ do: 'stall' })] : [])
  ]
  const ofReads = [...whole, (): Fault => ({ do: 'cut', afterBytes: bytes(2000) }), (): Fault => ({ do: 'drip' })]
  const ofStreams = [
    ...ofReads,
    (): Fault => ({ do: 'refuse', status: 410 }),
    ...(hasStalls ? [(): Fault => ({ do: 'hush', afterBytes: bytes(5000) })] : [])
  ]
  const ofWrites = [
    ...whole,
    (): Fault => ({ do: 'refuse', status: 409 }),
    (): Fault => ({ do: 'lose' }),
    (): Fault => ({ do: 'lose' }),
    (): Fault => ({ do: 'cut', afterBytes: bytes(200) })
  ]
  return ({ method, isWatch, isList }) => {
    const ways = isWatch || isList ? ofStreams : method === 'GET' ? ofReads : ofWrites
    // Watches are few and long: every one of them meets something sooner or later.
    const isHit = random() < (isWatch ? Math.min(1, 4 * share) : share)
    return isHit ? ways[Math.floor(random() * ways.length)]?.() : undefined
  }
}

/** Chance that a seed repeats. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
