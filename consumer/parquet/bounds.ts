/**
 * The least or greatest value of a column: numbers for int, date and double; long, time and timestamps may be bigint.
 * Decimals are unscaled bigints.
 */
export type StatValue = string | number | bigint | boolean

/** Bytes of a text kept as a bound. */
export const MAX_BOUND_BYTES = 64

/** Compares as Parquet orders text: unsigned bytes, which is the order of code points. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number
): number {
  const length = aLength < bLength ? aLength : bLength
  for (let index = 0; index < length; index++) {
    const difference = (a[aStart + index] as number) - (b[bStart + index] as number)
    if (difference !== 0) return difference
  }
  return aLength - bLength
}

/** A text at or below the given one. */
export function lowerBound(text: Uint8Array): Uint8Array {
  return text.length <= MAX_BOUND_BYTES ? text : text.subarray(0, characterStart(text, MAX_BOUND_BYTES))
}

/** A text at or above the given one; undefined when no short one is. */
export function upperBound(text: Uint8Array): Uint8Array | undefined {
  if (text.length <= MAX_BOUND_BYTES) return text
  let end = characterStart(text, MAX_BOUND_BYTES)
  while (end > 0) {
    const start = characterStart(text, end - 1)
    const next = following(Buffer.from(text.subarray(start, end)).toString('utf8').codePointAt(0) ?? 0)
    if (next !== undefined) return Buffer.concat([text.subarray(0, start), Buffer.from(String.fromCodePoint(next))])
    end = start
  }
  return undefined
}

/** The next code point that text may hold: surrogates are none. */
function following(codePoint: number): number | undefined {
  if (codePoint >= 0x10_ffff) return undefined
  return codePoint === 0xd7ff ? 0xe000 : codePoint + 1
}

/** The beginning of the UTF-8 character that byte `at` belongs to. */
function characterStart(text: Uint8Array, at: number): number {
  let start = at
  while (start > 0 && ((text[start] as number) & 0xc0) === 0x80) start--
  return start
}
