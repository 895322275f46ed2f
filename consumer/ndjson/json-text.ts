import type { Output } from './output.ts'

/** Bytes looked at before room is made for what they may need at most. */
const SEGMENT_BYTES = 2048
const QUOTE = 0x22
const BACKSLASH = 0x5c
const DIGITS = Buffer.from('0123456789abcdef')

/**
 * By byte, what stands for it in a string, least byte first: itself, or a backslash and a letter (RFC 8259, section 7). RARE are
 * control characters, which need more.
 */
const ESCAPES = Uint16Array.from({ length: 256 }, (_, byte) => byte)
const RARE = 0x8000
ESCAPES.fill(RARE, 0, 0x20)
const LETTERS = new Map([
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\']
])
for (const [byte, letter] of LETTERS) ESCAPES[byte] = (letter.charCodeAt(0) << 8) | BACKSLASH

/** UTF-8 as a JSON string. */
export function writeText(out: Output, source: Uint8Array, start: number, end: number): void {
  out.byte(QUOTE)
  for (let from = start; from < end; from += SEGMENT_BYTES)
    writeSegment(out, source, from, Math.min(end, from + SEGMENT_BYTES))
  out.byte(QUOTE)
}

function writeSegment(out: Output, source: Uint8Array, start: number, end: number): void {
  out.reserve((end - start) * 6 + 1)
  const { view } = out
  let at = out.length
  let seen = 0
  // No branch depends on a byte: quotes come so often that the processor would guess wrong at most of them.
  for (let from = start; from < end; from++) {
    const escape = ESCAPES[source[from] as number] as number
    view.setUint16(at, escape, true)
    at += 1 + ((escape + 0xff00) >>> 16)
    seen |= escape
  }
  if (seen < RARE) out.length = at
  else writeRare(out, source, start, end)
}

/** The same, of text with control characters. There is room. */
function writeRare(out: Output, source: Uint8Array, start: number, end: number): void {
  const { bytes } = out
  let at = out.length
  for (let from = start; from < end; from++) {
    const byte = source[from] as number
    const escape = ESCAPES[byte] as number
    bytes[at++] = escape === RARE ? BACKSLASH : escape
    if (escape < 0x100) continue
    if (escape !== RARE) {
      bytes[at++] = escape >>> 8
      continue
    }
    at += bytes.write('u00', at, 'latin1')
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
