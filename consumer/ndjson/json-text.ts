import type { Output } from './output.ts'

/** Bytes looked at before room is made for what they may need at most. */
const SEGMENT_BYTES = 2048
const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75
const DIGITS = Buffer.from('0123456789abcdef')

/** By byte: 0 for what stands for itself, else the letter after the backslash (RFC 8259, section 7). */
const ESCAPES = new Uint8Array(256)
ESCAPES.fill(LETTER_U, 0, 0x20)
for (const [byte, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\']
] as const)
  ESCAPES[byte] = letter.charCodeAt(0)

/** UTF-8 as a JSON string. */
export function writeText(out: Output, source: Uint8Array, start: number, end: number): void {
  out.byte(QUOTE)
  for (let from = start; from < end; from += SEGMENT_BYTES)
    writeSegment(out, source, from, Math.min(end, from + SEGMENT_BYTES))
  out.byte(QUOTE)
}

function writeSegment(out: Output, source: Uint8Array, start: number, end: number): void {
  out.reserve((end - start) * 6)
  const { bytes } = out
  let at = out.length
  for (let from = start; from < end; from++) {
    const byte = source[from] as number
    const letter = ESCAPES[byte] as number
    if (letter === 0) {
      bytes[at++] = byte
      continue
    }
    bytes[at++] = BACKSLASH
    bytes[at++] = letter
    if (letter !== LETTER_U) continue
    bytes[at++] = 0x30
    bytes[at++] = 0x30
    bytes[at++] = DIGITS[byte >>> 4] as number
    bytes[at++] = DIGITS[byte & 0xf] as number
  }
  out.length = at
}

/** Bytes as a JSON string in base64. */
export function writeBase64(out: Output, source: Buffer, start: number, end: number): void {
  out.byte(QUOTE)
  const text = source.toString('base64', start, end)
  out.reserve(text.length)
  out.length += out.bytes.write(text, out.length, 'latin1')
  out.byte(QUOTE)
}

/** 16 bytes as the text of a UUID (RFC 9562). */
export function writeUuid(out: Output, source: Uint8Array, start: number): void {
  out.reserve(38)
  const { bytes } = out
  let at = out.length
  bytes[at++] = QUOTE
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) bytes[at++] = 0x2d
    const byte = source[start + index] as number
    bytes[at++] = DIGITS[byte >>> 4] as number
    bytes[at++] = DIGITS[byte & 0xf] as number
  }
  bytes[at++] = QUOTE
  out.length = at
}
