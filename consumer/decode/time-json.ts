const MILLION = 1_000_000
const DAY_MS = 86_400_000

/** Microseconds since 1970 as a JSON string: `"2026-11-21T10:00:00.123456Z"`, without Z on a clock of no known zone. */
export function timestampJson(micros: number | bigint, isUtc: boolean): string {
  const whole = BigInt(micros)
  const below = ((whole % 1_000_000n) + 1_000_000n) % 1_000_000n
  const second = new Date(Number((whole - below) / 1000n)).toISOString().replace(/\.\d+Z$/, '')
  return `"${second}.${String(below).padStart(6, '0')}${isUtc ? 'Z' : ''}"`
}

/** Days since 1970: `"2026-11-21"`. */
export const dateJson = (days: number): string => `"${new Date(days * DAY_MS).toISOString().replace(/T.*$/, '')}"`

/** Microseconds since midnight: `"10:00:00.000001"`. */
export function timeJson(micros: number): string {
  const seconds = Math.floor(micros / MILLION)
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':')
  return `"${clock}.${String(micros - seconds * MILLION).padStart(6, '0')}"`
}
