/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15
/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
const PARTS = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/

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

/** The nearest double of a JSON number. Of a few digits it is a quotient of two exact doubles, which is rounded once (IEEE 754). */
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

/** Of a JSON number the digits without zeros around them, and the exponent of the last: value = digits × 10^exponent. */
interface Digits {
  readonly isNegative: boolean
  /** Empty for zero. */
  readonly digits: string
  /** May be infinite. */
  readonly exponent: number
}

/**
 * A number of JSON's grammar as the unscaled integer of a decimal(precision, scale): a bigint when it exceeds a safe integer.
 * Undefined when it has more digits than the decimal before or behind the point; nothing is rounded.
 */
export function unscaledOf(text: string, precision: number, scale: number): number | bigint | undefined {
  const { isNegative, digits, exponent } = digitsOf(text)
  if (digits === '') return 0
  const zeros = exponent + scale
  if (zeros < 0 || digits.length + zeros > precision) return undefined
  const unscaled = digits + '0'.repeat(zeros)
  if (unscaled.length <= SAFE_DIGITS) return isNegative ? -Number(unscaled) : Number(unscaled)
  const big = isNegative ? -BigInt(unscaled) : BigInt(unscaled)
  return Number.isSafeInteger(Number(big)) ? Number(big) : big
}

/** A number of JSON's grammar that is whole, however it is written; undefined when it is not, or has more than `most` digits. */
export function wholeOf(text: string, most: number): bigint | undefined {
  const whole = unscaledOf(text, most, 0)
  return whole === undefined ? undefined : BigInt(whole)
}

function digitsOf(text: string): Digits {
  const [, sign = '', integer = '', fraction = '', exponent = '0'] = PARTS.exec(text) ?? []
  const all = integer + fraction
  // Loops, since patterns that end in `0+$` take quadratic time on many zeros.
  let [first, last] = [0, all.length]
  while (first < last && all.charCodeAt(first) === 0x30) first++
  while (last > first && all.charCodeAt(last - 1) === 0x30) last--
  return {
    isNegative: sign === '-',
    digits: all.slice(first, last),
    exponent: Number(exponent) - fraction.length + (all.length - last)
  }
}
