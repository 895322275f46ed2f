import { constants } from 'node:os'
import type { Io } from './command.ts'

/** Whether somebody wants the command to end. */
export interface Stop {
  readonly signal: AbortSignal
  /** As shells tell of the signal of the system that it was; undefined until then. */
  readonly exitCode: () => number | undefined
}

/** Does `work`, which is told of the system's first signal instead of being ended by it. */
export async function untilStopped<T>({ onSignal }: Io, work: (stop: Stop) => Promise<T>): Promise<T> {
  const stopping = new AbortController()
  let exitCode: number | undefined
  const stopListening = onSignal(signal => {
    exitCode ??= 128 + constants.signals[signal]
    stopping.abort()
  })
  try {
    return await work({ signal: stopping.signal, exitCode: () => exitCode })
  } finally {
    stopListening()
  }
}
