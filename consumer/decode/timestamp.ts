/** Years 1 to 9999 in milliseconds since the epoch: what all readers of the tables can show. */
export const MIN_TIMESTAMP_MS = -62_135_596_800_000
export const MAX_TIMESTAMP_MS = 253_402_300_799_999

const RFC_3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,18}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/

/**
 * Microseconds since the epoch of an RFC 3339 time, a bigint when they exceed a safe integer; digits beyond are cut off. A time
 * without offset is none, since it does not say which moment it means. Undefined for all other text.
 */
export function parseTimestampMicros(text: string): number | bigint | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined
  // Second 60 is a leap second, and the first moment of the next minute here.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1)
  const seconds = (Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second)
  const ms = date.getTime() + seconds * 1000
  if (ms < MIN_TIMESTAMP_MS || ms > MAX_TIMESTAMP_MS) return undefined
  return microsOf(ms, Number(fraction.slice(0, 6).padEnd(6, '0')))
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const SHORTEST = '2000-01-01T00:00:00Z'.length
const MICRO_DIGITS = 6

/** What `parseTimestampMicros` gives for the text in ASCII; that of producers who write UTC is not even decoded. */
export function timestampMicrosOf(bytes: Buffer, start: number, end: number): number | bigint | undefined {
  return utcMicros(bytes, start, end) ?? parseTimestampMicros(bytes.toString('latin1', start, end))
}

/** Undefined for all but the plainest of forms, `2000-01-01T00:00:00Z` with at most six digits of a fraction. */
function utcMicros(bytes: Buffer, start: number, end: number): number | bigint | undefined {
  const fractionDigits = end - start - SHORTEST - 1
  if (fractionDigits < -1 || fractionDigits > MICRO_DIGITS || fractionDigits === 0) return undefined
  if (bytes[end - 1] !== 0x5a || bytes[start + 10] !== 0x54) return undefined
  if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return undefined
  if (bytes[start + 13] !== 0x3a || bytes[start + 16] !== 0x3a) return undefined
  if (fractionDigits > 0 && bytes[start + SHORTEST - 1] !== 0x2e) return undefined
  const year = digits(bytes, start, 4)
  const [month, day] = [digits(bytes, start + 5, 2), digits(bytes, start + 8, 2)]
  const [hour, minute, second] = [
    digits(bytes, start + 11, 2),
    digits(bytes, start + 14, 2),
    digits(bytes, start + 17, 2)
  ]
  const fraction = fractionDigits < 0 ? 0 : digits(bytes, start + SHORTEST, fractionDigits)
  const days = (MONTH_DAYS[month - 1] ?? 0) + (month === 2 && isLeap(year) ? 1 : 0)
  // Comparisons that NaN, of what is no digit, fails; years before 100 mean others to the library.
  if (!(year >= 100 && day >= 1 && day <= days && hour <= 23 && minute <= 59 && second <= 59 && fraction >= 0)) {
    return undefined
  }
  const micros = fraction * 10 ** (MICRO_DIGITS - Math.max(fractionDigits, 0))
  return microsOf(Date.UTC(year, month - 1, day, hour, minute, second), micros)
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** NaN when one of them is none. */
function digits(bytes: Buffer, start: number, count: number): number {
  let value = 0
  for (let at = start; at < start + count; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/** Microseconds of whole milliseconds (and some microseconds on top); undefined outside the years 1 to 9999. */
export function microsOf(ms: number, micros = 0): number | bigint | undefined {
  if (!(ms >= MIN_TIMESTAMP_MS && ms <= MAX_TIMESTAMP_MS) || !Number.isInteger(ms)) return undefined
  const sum = ms * 1000 + micros
  return Number.isSafeInteger(sum) ? sum : BigInt(ms) * 1000n + BigInt(micros)
}

const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/

/**
 * Days since 1970-01-01 of a calendar date `YYYY-MM-DD` (the full-date of RFC 3339) of the years 1 to 9999; undefined
 * for all other text.
 */
export function parseDateDays(text: string): number | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [, year, month, day] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (Number(year) === 0 || date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))
    return undefined
  return date.getTime() / 86_400_000
}
