import type { Output } from './output.ts'

const BILLION = 1e9
const MINUS = 0x2d
const ZERO = 0x30
const POINT = 0x2e

/** A safe integer of an array: a number that is an argument the engine may make an object. */
export function writeInteger(out: Output, values: Float64Array, index: number): void {
  out.reserve(20)
  const { bytes } = out
  let at = out.length
  let value = values[index] as number
  if (value < 0) {
    bytes[at++] = MINUS
    value = -value
  }
  out.length = writeDigits(bytes, at, value)
}

/** The digits of a safe integer that is not negative; gives where they end. There is room for 16. */
export function writeDigits(bytes: Uint8Array, at: number, value: number): number {
  if (value < BILLION) return small(bytes, at, value | 0)
  const high = Math.floor(value / BILLION)
  return padded(bytes, small(bytes, at, high | 0), (value - high * BILLION) | 0, 9)
}

function small(bytes: Uint8Array, at: number, value: number): number {
  let count = 1
  for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) count++
  return padded(bytes, at, value, count)
}

/** Below a billion, with zeros before it; gives where it ends. */
export function padded(bytes: Uint8Array, at: number, value: number, count: number): number {
  let rest = value
  for (let index = at + count - 1; index >= at; index--) {
    const tenth = (rest / 10) | 0
    bytes[index] = ZERO + rest - tenth * 10
    rest = tenth
  }
  return at + count
}

/**
 * A double as a JSON number that reads back as the same double, and tells by a point or an exponent that it is one; what no number
 * of JSON is, as a string.
 */
export function writeDouble(out: Output, values: Float64Array, index: number): void {
  const value = values[index] as number
  if (!Number.isFinite(value)) {
    out.ascii(`"${value}"`)
    return
  }
  const whole = Math.trunc(value)
  if (whole === value && Number.isSafeInteger(value)) {
    if (Object.is(value, -0)) out.byte(MINUS)
    writeInteger(out, values, index)
    out.ascii('.0')
    return
  }
  // A quotient of two whole numbers is rounded as reading their digits is: what it equals they name.
  const millionths = Math.round(Math.abs(value) * 1e6)
  if (millionths < 1e15 && millionths / 1e6 === Math.abs(value)) {
    writeMillionths(out, value < 0, millionths)
    return
  }
  const text = String(value)
  out.ascii(/[.e]/.test(text) ? text : `${text}.0`)
}

/** Without zeros at the end, of which there are not six. */
function writeMillionths(out: Output, isNegative: boolean, millionths: number): void {
  out.reserve(24)
  const { bytes } = out
  let at = out.length
  if (isNegative) bytes[at++] = MINUS
  const whole = Math.floor(millionths / 1e6)
  at = writeDigits(bytes, at, whole)
  bytes[at++] = POINT
  at = padded(bytes, at, (millionths - whole * 1e6) | 0, 6)
  while (bytes[at - 1] === ZERO) at--
  out.length = at
}

/** Up to this many digits after the point are told from safe integers. */
const MAX_SAFE_SCALE = 15

/** An unscaled safe integer as a JSON number with `scale` digits after the point; false, and nothing, when there are too many. */
export function writeSafeDecimal(out: Output, unscaled: number, scale: number): boolean {
  if (scale > MAX_SAFE_SCALE) return false
  out.reserve(24)
  const { bytes } = out
  let at = out.length
  if (unscaled < 0) bytes[at++] = MINUS
  const value = Math.abs(unscaled)
  const unit = POWERS[scale] as number
  const whole = Math.floor(value / unit)
  at = writeDigits(bytes, at, whole)
  if (scale > 0) {
    bytes[at++] = POINT
    const fraction = value - whole * unit
    const high = Math.floor(fraction / BILLION)
    if (scale > 9) at = padded(bytes, at, high | 0, scale - 9)
    at = padded(bytes, at, (fraction - high * BILLION) | 0, Math.min(9, scale))
  }
  out.length = at
  return true
}

const POWERS: readonly number[] = Array.from({ length: MAX_SAFE_SCALE + 1 }, (_, power) => 10 ** power)
