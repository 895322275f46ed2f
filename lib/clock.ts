import { setTimeout as wait } from 'node:timers/promises'

/** Time and chance, passed in so that a seed can replay a whole night. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** In [0, 1). */
  random(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      if (!signal?.aborted) throw error
    })
  }
}

/** A random identifier of 128 bits in hexadecimal, from the clock's own chance so that simulations repeat. */
export function randomId(clock: Clock): string {
  let id = ''
  while (id.length < 32)
    id += Math.floor(clock.random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0')
  return id
}
