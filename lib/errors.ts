/** Trouble that may pass: back off, then `recover()` and `seek()`. The outcome of what was tried may be unknown. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  /** Stable, short and free of secrets: it is shown in the resource's status (for example `S3Unavailable`). */
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Trouble only a person can end: the process exits 78 with the reason in its termination message. */
export class FatalError extends Error {
  override readonly name = 'FatalError'
  /** A CamelCase condition reason (for example `TableOwnedByOther`). */
  readonly reason: string
  /** The message names the field or thing at fault and the remedy. */
  constructor(reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}

export const EXIT_DEFECT = 70
export const EXIT_CONFIGURATION = 78

/** The text of anything thrown, with its causes, for logs. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message} (${errorText(error.cause)})`
}

/** Says that something believed impossible has happened: a defect, never bad input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`)
}
