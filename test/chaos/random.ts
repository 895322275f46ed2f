/** Mixes whole numbers into one that looks random and lies in [0, 1): the same numbers give the same result. */
export function mix(...numbers: readonly number[]): number {
  let state = 0x9e3779b9
  for (const number of numbers) {
    state = Math.imul(state ^ (number | 0), 0x85ebca6b)
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
    state = (state ^ (state >>> 16)) + Math.floor(number / 0x1_0000_0000)
  }
  return (state >>> 0) / 0x1_0000_0000
}

/** A sequence in [0, 1) from a seed. `stream` keeps sequences of one seed apart. */
export function randomFrom(seed: number, stream: number): () => number {
  let step = 0
  return () => mix(seed, stream, step++)
}
