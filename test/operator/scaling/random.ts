/** Chance with a seed. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number from 0 to `count`, less one; 0 for 0. */
  below(count: number): number
  chance(probability: number): boolean
}

export function randomOf(seed: number): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  return { next, below: count => Math.floor(next() * count), chance: probability => next() < probability }
}
