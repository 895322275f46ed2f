import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

/** Wrong usage: shown with a pointer to the help; the process exits 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const EXIT_OK = 0
export const EXIT_PROBLEMS = 1
export const EXIT_USAGE = 2

/** What a command may touch of the process it runs in. */
export interface Io {
  /** How the user calls it: `bronze` or `kubectl bronze`. */
  readonly program: string
  readonly stdin: () => NodeJS.ReadableStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Relative paths are meant from here. */
  readonly cwd: string
  /**
   * Calls `handler` on SIGINT, SIGTERM and SIGHUP instead of ending at once, and with SIGPIPE when nobody reads standard
   * output any more; returns how to end that.
   */
  readonly onSignal: (handler: (signal: NodeJS.Signals) => void) => () => void
}

export interface Command {
  readonly name: string
  /** One line for `bronze --help`. */
  readonly summary: string
  /** The whole text of `bronze <command> --help`, ending with a line feed. */
  readonly help: string
  /** Returns the exit code. Throws UsageError. */
  readonly run: (args: readonly string[], io: Io) => Promise<number>
}

type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>
>

/** `parseArgs` with its errors as UsageError. */
export function parseOptions<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    if (error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS_')) {
      throw new UsageError(error.message.split('. To specify')[0] ?? error.message)
    }
    throw error
  }
}

/** The value of an option that takes a whole number from `least` on. */
export function wholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value >= least) return value
  throw new UsageError(`--${option} takes a whole number from ${least} on, not '${text}'`)
}

/** The value of an option that takes one of a few words; the first is the default. */
export function oneOf<const T extends string>(
  option: string,
  text: string | undefined,
  words: readonly [T, ...T[]]
): T {
  const found = text === undefined ? words[0] : words.find(word => word === text)
  if (found !== undefined) return found
  throw new UsageError(`--${option} takes ${words.join(' or ')}, not '${text}'`)
}
