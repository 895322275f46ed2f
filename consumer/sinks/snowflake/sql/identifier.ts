import { FatalError } from '../../../../lib/errors.ts'

const MAX_NAME = 255

/**
 * What an identifier without quotes may be, at most 255 characters (docs.snowflake.com, sql-reference/identifiers-syntax).
 * Nothing else becomes part of a statement as a name.
 */
const NAME = /^[A-Za-z_][A-Za-z0-9_$]{0,254}$/

/** A name as Snowflake folds it: `orders_raw` is `ORDERS_RAW`. FatalError `InvalidName` naming what it is the name of. */
export function fold(name: string, what: string): string {
  if (!NAME.test(name)) {
    throw new FatalError(
      'InvalidName',
      `${what} ${JSON.stringify(name.slice(0, 100))} is no Snowflake name: letters, digits, _ and $, at most 255, no digit first.`
    )
  }
  return name.toUpperCase()
}

/** Letters and digits of all scripts: fields of values have such names too, and in double quotes they are names. */
const COLUMN_NAME = /^[\p{L}\p{M}\p{N}_$]{1,255}$/u

/** The name of a column, as `fold` folds it. */
export function foldColumn(name: string): string {
  const folded = name.toUpperCase()
  if (COLUMN_NAME.test(name) && folded.length <= MAX_NAME) return folded
  throw new FatalError(
    'InvalidName',
    `Column ${JSON.stringify(name.slice(0, 100))} is no Snowflake name: letters, digits, _ and $, at most ${MAX_NAME}.`
  )
}

/** A name, or names, in double quotes with points between: `"BRONZE"."ORDERS_RAW"`. */
export const quoted = (...names: readonly string[]): string =>
  names.map(name => `"${name.replaceAll('"', '""')}"`).join('.')

/**
 * A text where a statement allows no bind: comments, stage paths, options. A backslash begins an escape sequence within
 * single quotes (sql-reference/data-types-text, "Escape sequences in single-quoted string constants").
 */
export function literal(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "''")
  // The escape sequences need no other characters than these, and a statement stays on its lines.
  return `'${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\0', '')}'`
}
