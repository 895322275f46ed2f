import { parseDecimal } from '../columns/decimal.ts'

/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15
/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** The value of a few digits; undefined for what is longer or not of digits alone. The bytes are a JSON number. */
export function smallInteger(bytes: Uint8Array, start: number, end: number): number | undefined {
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

/**
 * The nearest double of a JSON number. Of a few digits it is a quotient of two exact doubles, which is rounded once
 * (IEEE 754).
 */
export function nearestDouble(bytes: Buffer, start: number, end: number): number {
  const isNegative = bytes[start] === 0x2d
  const from = isNegative ? start + 1 : start
  if (end - from > SAFE_DIGITS + 1) return Number(bytes.toString('latin1', start, end))
  let value = 0
  let point = -1
  for (let at = from; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === 0x2e) point = at
    else if (byte >= 0x30 && byte <= 0x39) value = value * 10 + (byte - 0x30)
    else return Number(bytes.toString('latin1', start, end))
  }
  if (point >= 0) value /= POWERS[end - point - 1] as number
  else if (value >= 10 ** SAFE_DIGITS) return Number(bytes.toString('latin1', start, end))
  return isNegative ? -value : value
}

/**
 * A JSON number as the unscaled integer of a decimal(precision, scale): a bigint when it exceeds a safe integer.
 * Undefined when it has more digits than the decimal before or behind the point; nothing is rounded.
 */
export function decimalOf(
  bytes: Buffer,
  start: number,
  end: number,
  precision: number,
  scale: number
): number | bigint | undefined {
  const short = shortDecimal(bytes, start, end, precision, scale)
  if (short !== undefined) return short
  const unscaled = parseDecimal(bytes.toString('latin1', start, end), precision, scale)
  if (unscaled === undefined) return undefined
  const number = Number(unscaled)
  return Number.isSafeInteger(number) ? number : unscaled
}

/** The same for few digits without exponent; undefined for all others, and for what does not fit. */
function shortDecimal(bytes: Buffer, start: number, end: number, precision: number, scale: number): number | undefined {
  const from = bytes[start] === 0x2d ? start + 1 : start
  if (end - from > SAFE_DIGITS || scale > SAFE_DIGITS) return undefined
  let value = 0
  let point = end
  for (let at = from; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === 0x2e) point = at + 1
    else if (byte >= 0x30 && byte <= 0x39) value = value * 10 + (byte - 0x30)
    else return undefined
  }
  if (end - point > scale) return undefined
  const unscaled = value * (POWERS[scale - (end - point)] as number)
  if (unscaled >= (POWERS[Math.min(precision, SAFE_DIGITS)] as number)) return undefined
  return from > start ? 0 - unscaled : unscaled
}

/** Digits of the longest whole number of 64 bits. */
const LONG_DIGITS = 19

/** A JSON number that is whole, however it is written, and fits 64 bits with sign: a bigint when it exceeds a safe integer. */
export function longOf(bytes: Buffer, start: number, end: number): number | bigint | undefined {
  const small = smallInteger(bytes, start, end)
  if (small !== undefined) return small
  const whole = decimalOf(bytes, start, end, LONG_DIGITS, 0)
  return typeof whole === 'bigint' && BigInt.asIntN(64, whole) !== whole ? undefined : whole
}
