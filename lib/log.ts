import { errorText } from './errors.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Structured log. Never pass a secret: fields are written as they are. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields, error?: unknown): void
  error(message: string, fields?: LogFields, error?: unknown): void
  /** A log that adds `fields` to every line. */
  with(fields: LogFields): Log
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** One JSON object per line. */
export function jsonLog(
  write: (line: string) => void,
  minimum: LogLevel,
  nowMs: () => number,
  base: LogFields = {}
): Log {
  const line =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}, error?: unknown) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(minimum)) return
      const failure = error === undefined ? {} : { error: errorText(error) }
      write(
        `${JSON.stringify({ time: new Date(nowMs()).toISOString(), level, message, ...base, ...fields, ...failure })}\n`
      )
    }
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    with: fields => jsonLog(write, minimum, nowMs, { ...base, ...fields })
  }
}

export const silentLog: Log = jsonLog(
  () => {},
  'error',
  () => 0
)
