import { setTimeout as wait } from 'node:timers/promises'
import { EXIT_OK, type Io } from './command.ts'
import { untilStopped } from './until-stopped.ts'

const WATCH_EVERY_MS = 2000

/** What a look gives. */
export interface Shown {
  /** With its line feeds. */
  readonly text: string
  readonly exitCode: number
}

/** Shows what `look` gives: once, or again and again until somebody has seen enough, on a terminal in place. */
export async function watched(
  look: () => Promise<Shown>,
  { watch, output }: { readonly watch: boolean; readonly output: 'text' | 'json' },
  io: Io
): Promise<number> {
  const { stdout } = io
  if (!watch) {
    const { text, exitCode } = await look()
    stdout.write(text)
    return exitCode
  }
  return await untilStopped(io, async ({ signal }) => {
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => stop())
    let exitCode = EXIT_OK
    while (!signal.aborted) {
      // Whoever wants to stop does not wait for a server that does not answer.
      const shown = await Promise.race([look(), stopped])
      if (shown === undefined) break
      exitCode = shown.exitCode
      const isInPlace = output === 'text' && stdout.isTTY
      stdout.write(`${isInPlace ? '\u001b[H\u001b[2J' : ''}${shown.text}${output === 'text' && !isInPlace ? '\n' : ''}`)
      await wait(WATCH_EVERY_MS, undefined, { signal }).catch(() => {})
    }
    return exitCode
  })
}
