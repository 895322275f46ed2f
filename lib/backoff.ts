/** Exponential back-off with full jitter, in milliseconds. `attempt` counts from 1; `random` is in [0, 1). */
export function backoffMs(attempt: number, random: number, limits = { firstMs: 100, maxMs: 30_000 }): number {
  const ceiling = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt - 1, 20))
  return Math.floor(ceiling * (0.5 + random / 2))
}
