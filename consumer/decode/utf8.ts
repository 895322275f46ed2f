import { isUtf8 as isUtf8Bytes } from 'node:buffer'

/** Shorter pieces are looked at here: a call into the runtime costs more. */
const SHORT = 64

/** Whether the bytes are well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. */
export function isUtf8(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > SHORT) return isUtf8Bytes(bytes.subarray(start, end))
  let at = start
  while (at < end) {
    if ((bytes[at] as number) < 0x80) at++
    else {
      const length = sequenceLength(bytes, at, end)
      if (length === 0) return false
      at += length
    }
  }
  return true
}

/** Length of the well-formed sequence of two to four bytes at `at`; 0 when it is none or does not end before `end`. */
export function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || at + length > end) return 0
  const second = bytes[at + 1] as number
  if ((second & 0xc0) !== 0x80) return 0
  if (first === 0xe0 && second < 0xa0) return 0
  if (first === 0xed && second > 0x9f) return 0
  if (first === 0xf0 && second < 0x90) return 0
  if (first === 0xf4 && second > 0x8f) return 0
  for (let index = 2; index < length; index++) if (((bytes[at + index] as number) & 0xc0) !== 0x80) return 0
  return length
}
