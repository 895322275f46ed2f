import assert from 'node:assert/strict'
import { FatalError, RetryableError } from '../../lib/errors.ts'

/** For `assert.rejects`: what only a person can end, for this reason. */
export const isFatal = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof FatalError, String(error))
  assert.equal(error.reason, reason)
  return true
}

/** For `assert.rejects`: what may pass, with this code. */
export const isRetryable = (code: string) => (error: unknown) => {
  assert.ok(error instanceof RetryableError, String(error))
  assert.equal(error.code, code)
  return true
}
