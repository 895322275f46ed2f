/** What is not known is never shown as 0. */
export const UNKNOWN = '?'

const SCALES = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k']
] as const

/** `950`, `1.2k`, `12k`, `3.4M`: rounded down, at most four characters. */
export function shortCount(count: number | undefined): string {
  if (count === undefined) return UNKNOWN
  const scale = SCALES.find(([least]) => count >= least)
  if (scale === undefined) return String(Math.floor(count))
  const [unit, suffix] = scale
  const scaled = count / unit
  return scaled < 10 ? `${(Math.floor(scaled * 10) / 10).toString()}${suffix}` : `${Math.floor(scaled)}${suffix}`
}

const SECOND = 1
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** As kubectl prints ages: `45s`, `3m20s`, `25m`, `5h10m`, `30h`, `3d`. */
export function shortSeconds(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN
  const whole = Math.max(0, Math.floor(seconds))
  const two = (big: number, bigUnit: string, small: number, smallUnit: string) => {
    const rest = Math.floor((whole % big) / small)
    return `${Math.floor(whole / big)}${bigUnit}${rest === 0 ? '' : `${rest}${smallUnit}`}`
  }
  if (whole < 2 * MINUTE) return `${whole}s`
  if (whole < 10 * MINUTE) return two(MINUTE, 'm', SECOND, 's')
  if (whole < 3 * HOUR) return `${Math.floor(whole / MINUTE)}m`
  if (whole < 8 * HOUR) return two(HOUR, 'h', MINUTE, 'm')
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)}h`
  return `${Math.floor(whole / DAY)}d`
}

/** Rounded to two significant digits: a figure that moves by less is the same. */
export const twoDigits = <Value extends number | undefined>(value: Value): Value =>
  (value === undefined ? value : Number(value.toPrecision(2))) as Value
