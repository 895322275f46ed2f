import { quoted } from './identifier.ts'
import type { Statement } from '../session/session.ts'

/** Seconds that a statement waits for another transaction's lock; Snowflake's own default is half a day. */
const LOCK_TIMEOUT_SECONDS = 30

/**
 * What our statements count on whatever an account or user has set otherwise (sql-reference/parameters):
 * UTC wherever a time has no zone; ISO 8601 in casts of text; a MERGE or UPDATE that could choose among rows fails; quoted names are
 * taken as they are.
 */
export const SESSION_PARAMETERS: Readonly<Record<string, string | number | boolean>> = {
  TIMEZONE: 'UTC',
  DATE_INPUT_FORMAT: 'AUTO',
  TIME_INPUT_FORMAT: 'AUTO',
  TIMESTAMP_INPUT_FORMAT: 'AUTO',
  LOCK_TIMEOUT: LOCK_TIMEOUT_SECONDS,
  ERROR_ON_NONDETERMINISTIC_MERGE: true,
  ERROR_ON_NONDETERMINISTIC_UPDATE: true,
  QUOTED_IDENTIFIERS_IGNORE_CASE: false
}

/** The first statement of a session, with what the session's owner adds (numbers, or words without quotes in them). */
export function setParameters(more: Readonly<Record<string, string | number | boolean>> = {}): Statement {
  const all = Object.entries({ ...SESSION_PARAMETERS, ...more })
  return {
    text: `ALTER SESSION SET\n  ${all.map(([name, value]) => `${name} = ${formatted(value)}`).join(',\n  ')}`,
    binds: []
  }
}

const formatted = (value: string | number | boolean): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value).toUpperCase()

/** The name is found again in SHOW TRANSACTIONS. */
export const begin = (name: string): Statement => ({ text: `BEGIN NAME ${quoted(name)}`, binds: [] })
export const COMMIT: Statement = { text: 'COMMIT', binds: [] }
export const ROLLBACK: Statement = { text: 'ROLLBACK', binds: [] }
