import type { LiftedColumn } from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import { decimalOf, longOf, smallInteger } from './json-number.ts'
import { KIND } from './json-scanner.ts'
import { microsOf, parseDateDays, parseTimestampMicros, timestampMicrosOf } from './timestamp.ts'

/** Where a lifted value is now. */
export const HELD = { NULL: 0, BYTES: 1, OWN_BYTES: 2, NUMBER: 3, BIG: 4, BOOLEAN: 5 } as const

/** One value on its way from a record into its column. */
export interface Lifted {
  held: number
  /** BYTES: they lie in the record. */
  start: number
  length: number
  /** OWN_BYTES: what an escaped string decodes to. */
  bytes: Buffer
  /** NUMBER, and BOOLEAN as 0 or 1. Of a Date the days since 1970, of a Decimal the unscaled integer, if it is safe, else BIG. */
  number: number
  big: bigint
}

export const emptyLifted = (): Lifted => ({
  held: HELD.NULL,
  start: 0,
  length: 0,
  bytes: Buffer.alloc(0),
  number: 0,
  big: 0n
})

/** Decimals have precision and scale. */
export type LiftTarget = Pick<LiftedColumn, 'type' | 'precision' | 'scale'>

/** Text of a number or a time that means something is far shorter. */
const MAX_TEXT = 400
const INT_MAX = 2 ** 31 - 1
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

/**
 * Takes a JSON value of a kind as the column's type; false when it is not of that type. A String is a string's text or any other
 * value's JSON text; Int and Long are whole numbers in range, however they are written; Float and Double are any number in range,
 * rounded to the nearest; Decimal is a number, or text that is one, with no digit too many; Timestamp is RFC 3339 text or whole
 * milliseconds since the epoch; Date is `YYYY-MM-DD`. Half surrogates in escapes become U+FFFD.
 */
export function liftJson(
  column: LiftTarget,
  kind: number,
  bytes: Buffer,
  start: number,
  end: number,
  into: Lifted
): boolean {
  if (kind === KIND.NULL || kind === KIND.MISSING) return hold(into, HELD.NULL)
  switch (column.type) {
    case 'String':
      if (kind === KIND.ESCAPED) {
        into.bytes = Buffer.from(unescape(bytes, start, end))
        return hold(into, HELD.OWN_BYTES)
      }
      into.start = start
      into.length = end - start
      return hold(into, HELD.BYTES)
    case 'Boolean':
      into.number = kind === KIND.TRUE ? 1 : 0
      return (kind === KIND.TRUE || kind === KIND.FALSE) && hold(into, HELD.BOOLEAN)
    case 'Timestamp':
      if (kind === KIND.NUMBER) return holdInteger(into, microsOf(Number(bytes.toString('latin1', start, end))))
      if (kind === KIND.STRING && end - start <= MAX_TEXT)
        return holdInteger(into, timestampMicrosOf(bytes, start, end))
      return kind === KIND.ESCAPED && holdInteger(into, parseTimestampMicros(textOf(kind, bytes, start, end)))
    case 'Date':
      return isText(kind) && holdInteger(into, parseDateDays(textOf(kind, bytes, start, end)))
    case 'Decimal':
      return liftDecimal(column, kind, bytes, start, end, into)
    case 'Int':
    case 'Long':
    case 'Float':
    case 'Double':
      return kind === KIND.NUMBER && liftNumber(column.type, bytes, start, end, into)
  }
}

/**
 * Takes the text of a key or header as the column's type, by the same rules; booleans are `true` and `false`. String
 * must be UTF-8 already.
 */
export function liftText(column: LiftTarget, bytes: Buffer, start: number, length: number, into: Lifted): boolean {
  if (length < 0) return hold(into, HELD.NULL)
  const end = start + length
  if (column.type === 'String') return liftJson(column, KIND.STRING, bytes, start, end, into)
  if (length > MAX_TEXT) return false
  const text = bytes.toString('latin1', start, end)
  if (text === 'true') return liftJson(column, KIND.TRUE, bytes, start, end, into)
  if (text === 'false') return liftJson(column, KIND.FALSE, bytes, start, end, into)
  return liftJson(column, NUMBER.test(text) ? KIND.NUMBER : KIND.STRING, bytes, start, end, into)
}

const isText = (kind: number): boolean => kind === KIND.STRING || kind === KIND.ESCAPED

/** What is longer means nothing as text of a number or a time, so it is not decoded: '' instead. */
function textOf(kind: number, bytes: Buffer, start: number, end: number): string {
  if (end - start > MAX_TEXT) return ''
  return kind === KIND.ESCAPED ? unescape(bytes, start, end) : bytes.toString('latin1', start, end)
}

function liftDecimal(
  { precision, scale }: LiftTarget,
  kind: number,
  bytes: Buffer,
  start: number,
  end: number,
  into: Lifted
): boolean {
  invariant(precision !== undefined && scale !== undefined, 'a Decimal has precision and scale')
  if (kind === KIND.NUMBER) return holdInteger(into, decimalOf(bytes, start, end, precision, scale))
  const text = isText(kind) ? textOf(kind, bytes, start, end) : ''
  if (!NUMBER.test(text)) return false
  return holdInteger(into, decimalOf(Buffer.from(text), 0, text.length, precision, scale))
}

/** The bytes are a JSON number. */
function liftNumber(
  type: 'Int' | 'Long' | 'Float' | 'Double',
  bytes: Buffer,
  start: number,
  end: number,
  into: Lifted
): boolean {
  const whole = smallInteger(bytes, start, end)
  if (whole !== undefined) {
    into.number = whole
    return (type !== 'Int' || isInt(whole)) && hold(into, HELD.NUMBER)
  }
  if (type === 'Float' || type === 'Double') {
    into.number = Number(bytes.toString('latin1', start, end))
    const rounded = type === 'Float' ? Math.fround(into.number) : into.number
    return Number.isFinite(rounded) && hold(into, HELD.NUMBER)
  }
  const long = longOf(bytes, start, end)
  return (type === 'Long' || (typeof long === 'number' && isInt(long))) && holdInteger(into, long)
}

const isInt = (value: number): boolean => value >= -INT_MAX - 1 && value <= INT_MAX

function holdInteger(into: Lifted, value: number | bigint | undefined): boolean {
  if (value === undefined) return false
  if (typeof value === 'bigint') {
    into.big = value
    return hold(into, HELD.BIG)
  }
  into.number = value
  return hold(into, HELD.NUMBER)
}

function hold(into: Lifted, held: number): true {
  into.held = held
  return true
}

const unescape = (bytes: Buffer, start: number, end: number): string =>
  JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string
