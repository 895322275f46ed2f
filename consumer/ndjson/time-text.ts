import { padded } from './digits.ts'
import type { Output } from './output.ts'

const QUOTE = 0x22
const SECONDS_A_DAY = 86_400
const MILLION = 1_000_000
const DAYS_OF_400_YEARS = 146_097

/** Writes times as JSON strings (ISO 8601). Rows that follow each other mostly have the same second: what was said last is kept. */
export class TimeText {
  #day = Number.NaN
  #second = Number.NaN
  /** `"2026-11-21T10:00:00.` of the second. */
  readonly #text = Buffer.alloc(32)
  #dateEnd = 0
  #textEnd = 0

  /** Days since 1970: `"2026-11-21"`. */
  date(out: Output, day: number): void {
    this.#setDay(day)
    out.append(this.#text, this.#dateEnd)
    out.byte(QUOTE)
  }

  /** Seconds since 1970 and microseconds of the second: `"2026-11-21T10:00:00.123456Z"`; no Z on a clock of no known zone. */
  timestamp(out: Output, second: number, micros: number, isUtc: boolean): void {
    if (second !== this.#second) this.#setSecond(second)
    const length = this.#textEnd
    out.reserve(length + 8)
    const { bytes } = out
    let at = out.length
    const text = this.#text
    for (let index = 0; index < length; index++) bytes[at++] = text[index] as number
    at = padded(bytes, at, micros, 6)
    if (isUtc) bytes[at++] = 0x5a
    bytes[at++] = QUOTE
    out.length = at
  }

  #setSecond(second: number): void {
    const day = Math.floor(second / SECONDS_A_DAY)
    this.#setDay(day)
    this.#text[this.#dateEnd] = 0x54
    const end = writeClock(this.#text, this.#dateEnd + 1, second - day * SECONDS_A_DAY)
    this.#text[end] = 0x2e
    this.#textEnd = end + 1
    this.#second = second
  }

  #setDay(day: number): void {
    if (day === this.#day) return
    this.#text[0] = QUOTE
    this.#dateEnd = writeDate(this.#text, 1, day)
    this.#day = day
    this.#second = Number.NaN
  }
}

/** Microseconds since midnight: `"10:00:00.000001"`. */
export function writeTime(out: Output, values: Float64Array, index: number): void {
  const micros = values[index] as number
  const second = Math.floor(micros / MILLION)
  out.reserve(17)
  const { bytes } = out
  bytes[out.length] = QUOTE
  let at = writeClock(bytes, out.length + 1, second)
  bytes[at++] = 0x2e
  at = padded(bytes, at, micros - second * MILLION, 6)
  bytes[at++] = QUOTE
  out.length = at
}

function writeClock(bytes: Uint8Array, start: number, second: number): number {
  let at = padded(bytes, start, Math.floor(second / 3600), 2)
  bytes[at++] = 0x3a
  at = padded(bytes, at, Math.floor(second / 60) % 60, 2)
  bytes[at++] = 0x3a
  return padded(bytes, at, second % 60, 2)
}

/** In the Gregorian calendar without a beginning; years beyond four digits have a sign and six, as ISO 8601 expands them. */
function writeDate(bytes: Uint8Array, start: number, day: number): number {
  // Years are taken to begin in March, so that the day that leaps is the last; 719,468 days lie between such a year 0 and 1970.
  const since = day + 719_468
  const era = Math.floor(since / DAYS_OF_400_YEARS)
  const dayOfEra = since - era * DAYS_OF_400_YEARS
  const leaps = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * dayOfYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  let at = start
  const isExpanded = year < 0 || year > 9999
  if (isExpanded) bytes[at++] = year < 0 ? 0x2d : 0x2b
  at = padded(bytes, at, Math.abs(year), isExpanded ? (Math.abs(year) > 999_999 ? 7 : 6) : 4)
  bytes[at++] = 0x2d
  at = padded(bytes, at, month, 2)
  bytes[at++] = 0x2d
  return padded(bytes, at, dayOfYear - Math.floor((153 * march + 2) / 5) + 1, 2)
}
