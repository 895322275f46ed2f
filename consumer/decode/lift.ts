import type { LiftedType } from '../../crds/settled.ts'
import { KIND } from './json-scanner.ts'
import { microsOf, parseTimestampMicros } from './timestamp.ts'

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
  /** NUMBER, and BOOLEAN as 0 or 1. */
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

const INT_MAX = 2 ** 31 - 1
const LONG_MAX = 2n ** 63n - 1n
/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/

/**
 * Takes a JSON value of a kind as `type`; false when it is not of that type. A String is a string's text or any other value's
 * JSON text; Int and Long are whole numbers in range, however they are written; Double is any number it can hold; Timestamp is
 * RFC 3339 text or whole milliseconds since the epoch. Half surrogates in escapes become U+FFFD.
 */
export function liftJson(
  type: LiftedType,
  kind: number,
  bytes: Buffer,
  start: number,
  end: number,
  into: Lifted
): boolean {
  if (kind === KIND.NULL || kind === KIND.MISSING) return hold(into, HELD.NULL)
  switch (type) {
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
      if (kind === KIND.STRING) return holdMicros(into, parseTimestampMicros(bytes.toString('latin1', start, end)))
      if (kind === KIND.ESCAPED) return holdMicros(into, parseTimestampMicros(unescape(bytes, start, end)))
      return kind === KIND.NUMBER && holdMicros(into, microsOf(Number(bytes.toString('latin1', start, end))))
    case 'Int':
    case 'Long':
    case 'Double':
      return kind === KIND.NUMBER && liftNumber(type, bytes, start, end, into)
  }
}

/** Takes the text of a key or header as `type`, by the same rules; booleans are `true` and `false`. String must be UTF-8 already. */
export function liftText(type: LiftedType, bytes: Buffer, start: number, length: number, into: Lifted): boolean {
  if (length < 0) return hold(into, HELD.NULL)
  const end = start + length
  if (type === 'String') return liftJson(type, KIND.STRING, bytes, start, end, into)
  // The longest number that means something is far shorter.
  if (length > 400) return false
  const text = bytes.toString('latin1', start, end)
  if (text === 'true') return liftJson(type, KIND.TRUE, bytes, start, end, into)
  if (text === 'false') return liftJson(type, KIND.FALSE, bytes, start, end, into)
  return liftJson(type, NUMBER.test(text) ? KIND.NUMBER : KIND.STRING, bytes, start, end, into)
}

/** The bytes are a JSON number. */
function liftNumber(type: 'Int' | 'Long' | 'Double', bytes: Buffer, start: number, end: number, into: Lifted): boolean {
  const whole = smallInteger(bytes, start, end)
  if (whole !== undefined) {
    into.number = whole
    return (type !== 'Int' || isInt(whole)) && hold(into, HELD.NUMBER)
  }
  const text = bytes.toString('latin1', start, end)
  const number = Number(text)
  into.number = number
  if (type === 'Double') return Number.isFinite(number) && hold(into, HELD.NUMBER)
  if (type === 'Int') return isInt(number) && hold(into, HELD.NUMBER)
  if (Number.isSafeInteger(number)) return hold(into, HELD.NUMBER)
  // Beyond safe integers only plain digits are exact.
  if (!/^-?[0-9]{1,19}$/.test(text)) return false
  into.big = BigInt(text)
  return into.big >= -LONG_MAX - 1n && into.big <= LONG_MAX && hold(into, HELD.BIG)
}

/** The value of a few digits; undefined for what is longer or not of digits alone. */
function smallInteger(bytes: Buffer, start: number, end: number): number | undefined {
  const isNegative = bytes[start] === 0x2d
  const from = isNegative ? start + 1 : start
  if (end - from > SAFE_DIGITS) return undefined
  let value = 0
  for (let at = from; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  // Not -value: minus zero is zero.
  return isNegative ? 0 - value : value
}

const isInt = (value: number): boolean => Number.isInteger(value) && value >= -INT_MAX - 1 && value <= INT_MAX

function holdMicros(into: Lifted, micros: number | bigint | undefined): boolean {
  if (micros === undefined) return false
  if (typeof micros === 'bigint') {
    into.big = micros
    return hold(into, HELD.BIG)
  }
  into.number = micros
  return hold(into, HELD.NUMBER)
}

function hold(into: Lifted, held: number): true {
  into.held = held
  return true
}

const unescape = (bytes: Buffer, start: number, end: number): string =>
  JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string
