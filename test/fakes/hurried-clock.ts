import { systemClock, type Clock } from '../../lib/clock.ts'

/** A clock on which real time passes so many times as fast. */
export function hurriedClock(times: number, random = () => systemClock.random()): Clock {
  const startMs = Date.now()
  return {
    now: () => startMs + (Date.now() - startMs) * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
    random
  }
}
