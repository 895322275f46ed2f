import { within } from './within.ts'

/** So many questions in a row without an answer are silence. */
const MISSES = 2

/**
 * What `work` gives, or the error of `silent` when the other side answers no more: `beat` asks it every `everyMs` as long as the
 * work goes on, which may take long.
 */
export async function whileAnswering<T>(
  work: Promise<T>,
  beat: () => Promise<unknown>,
  everyMs: number,
  silent: () => Error
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  let misses = 0
  const ask = async () => {
    try {
      await within(beat(), everyMs, silent)
      misses = 0
    } catch {
      misses++
      if (misses >= MISSES) reject(silent())
    }
  }
  const timer = setInterval(() => void ask(), everyMs)
  work.catch(() => {})
  try {
    return await Promise.race([work, promise])
  } finally {
    clearInterval(timer)
  }
}
