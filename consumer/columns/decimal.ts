/** Digits that both table formats allow. */
export const MAX_PRECISION = 38

/** Bytes of one value in Parquet: 4 and 8 are whole numbers, more is big-endian two's complement. */
export function decimalBytes(precision: number): number {
  if (precision <= 9) return 4
  if (precision <= 18) return 8
  return FIXED_BYTES[precision] ?? 16
}

/** Least number of bytes whose two's complement holds so many digits. */
const FIXED_BYTES: readonly number[] = Array.from({ length: MAX_PRECISION + 1 }, (_, precision) => {
  let bytes = 1
  while (2n ** BigInt(bytes * 8 - 1) < 10n ** BigInt(precision)) bytes++
  return bytes
})

const POWERS: readonly bigint[] = Array.from({ length: MAX_PRECISION + 1 }, (_, power) => 10n ** BigInt(power))

/** Whether an unscaled value has at most so many digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = POWERS[precision] ?? 0n
  return unscaled < limit && unscaled > -limit
}

/** The value of big-endian two's complement of any length; none is 0. */
export function unscaledOf(bytes: Uint8Array, start: number, length: number): bigint {
  let value = 0n
  for (let index = start; index < start + length; index++) value = (value << 8n) | BigInt(bytes[index] as number)
  return length === 0 ? 0n : BigInt.asIntN(length * 8, value)
}

const PLAIN = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/

/**
 * The unscaled value of a number as text (`-12.50`, `1e3`). Undefined when it is no number, has more digits than the type, or
 * digits beyond its scale that are not 0.
 */
export function parseDecimal(text: string, precision: number, scale: number): bigint | undefined {
  const match = PLAIN.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  if (digits === '') return undefined
  const significant = digits.replace(/^0+/, '')
  if (significant === '') return 0n
  // The point stands so many places left of where the unscaled value ends.
  const shift = scale + Number(exponent) - fraction.length
  if (significant.length + shift > precision) return undefined
  const cut = shift < 0 ? significant.slice(shift) : ''
  if (!/^0*$/.test(cut) || cut.length < -shift) return undefined
  const kept = shift < 0 ? significant.slice(0, shift) : significant + '0'.repeat(shift)
  const value = BigInt(kept === '' ? '0' : kept)
  return sign === '-' ? -value : value
}

/** The reverse: `-12.50`. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  const point = digits.length - scale
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
