export interface AllowanceOptions {
  /** So many at once. */
  readonly burst: number
  /** One more after each. */
  readonly refillMs: number
  /** Keys that are remembered; of more than that the one asked for the longest ago starts anew. */
  readonly maxKeys: number
}

/** How often something may be done for each key: a bucket of tokens for each. */
export class Allowance {
  readonly #options: AllowanceOptions
  readonly #buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>()

  constructor(options: AllowanceOptions) {
    this.#options = options
  }

  /** Whether it may be done now; then it counts as done. */
  take(key: string, nowMs: number): boolean {
    const { burst, refillMs, maxKeys } = this.#options
    const { tokens, atMs } = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs }
    const filled = Math.min(burst, tokens + Math.max(0, nowMs - atMs) / refillMs)
    const isAllowed = filled >= 1
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: isAllowed ? filled - 1 : filled, atMs: nowMs })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > maxKeys && oldest !== undefined) this.#buckets.delete(oldest)
    return isAllowed
  }
}
