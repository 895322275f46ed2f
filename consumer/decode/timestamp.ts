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

/** Microseconds of whole milliseconds (and some microseconds on top); undefined outside the years 1 to 9999. */
export function microsOf(ms: number, micros = 0): number | bigint | undefined {
  if (!(ms >= MIN_TIMESTAMP_MS && ms <= MAX_TIMESTAMP_MS) || !Number.isInteger(ms)) return undefined
  const sum = ms * 1000 + micros
  return Number.isSafeInteger(sum) ? sum : BigInt(ms) * 1000n + BigInt(micros)
}

const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/

/** Days since 1970-01-01 of a calendar date `YYYY-MM-DD` (the full-date of RFC 3339) of the years 1 to 9999; undefined for all other text. */
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
