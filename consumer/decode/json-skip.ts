import { sequenceLength } from './utf8.ts'

/** Deeper documents are refused: those who read the tables have limits too (Jackson's is the same). */
export const MAX_DEPTH = 1000

export const QUOTE = 0x22
export const OBJECT_START = 0x7b
export const ARRAY_START = 0x5b
export const COMMA = 0x2c
/** `}` and `]` lie two above their openings. */
export const TO_END = 2

/** Bytes inside strings: 0 stands for itself, 1 ends the string, 2 may not occur, 3 begins an escape, 4 a UTF-8 sequence. */
const IN_STRING = new Uint8Array(256).map((_, byte) =>
  byte < 0x20 ? 2 : byte === QUOTE ? 1 : byte === 0x5c ? 3 : byte >= 0x80 ? 4 : 0
)
/** What may follow a backslash; 2 for `u`. */
const ESCAPES = tableOf('"\\/bfnrt', 1)
ESCAPES[0x75] = 2
const DIGITS = tableOf('0123456789', 1)
const HEX = tableOf('0123456789abcdefABCDEF', 1)
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

/** Openings of the containers around the position; JavaScript runs one document at a time. */
const open = new Uint8Array(MAX_DEPTH)

/** Positions lie below this: what is not UTF-8 is marked by it. */
const NOT_UTF8 = 2 ** 40

/** Marks the position at which bytes go wrong. All functions here give the position after what they skip, or such a mark. */
export const failure = (at: number): number => -1 - at

/** What a mark says. */
export function readFailure(mark: number): { readonly at: number; readonly error: 'InvalidUtf8' | 'InvalidJson' } {
  const at = -1 - mark
  return at >= NOT_UTF8 ? { at: at - NOT_UTF8, error: 'InvalidUtf8' } : { at, error: 'InvalidJson' }
}

/**
 * Skips a value, checking it against RFC 8259 and RFC 3629. `start` is its first byte, space before it has been skipped;
 * `outerDepth` containers are open around it.
 */
export function skipValue(bytes: Buffer, start: number, end: number, outerDepth: number): number {
  let at = start
  let depth = outerDepth
  for (;;) {
    const first = at < end ? (bytes[at] as number) : 0
    if (first === QUOTE) at = skipString(bytes, at + 1, end)
    else if (first !== OBJECT_START && first !== ARRAY_START) at = skipScalar(bytes, at, end, first)
    else {
      if (depth === MAX_DEPTH) return failure(at)
      open[depth++] = first
      at = skipSpace(bytes, at + 1, end)
      if (at >= end) return failure(at)
      if (bytes[at] !== first + TO_END) {
        if (first === OBJECT_START) at = skipKey(bytes, at, end)
        if (at < 0) return at
        continue
      }
    }
    if (at < 0) return at
    // A value has ended, or an empty container is to be closed.
    for (;;) {
      if (depth === outerDepth) return at
      at = skipSpace(bytes, at, end)
      if (at >= end) return failure(at)
      const byte = bytes[at] as number
      if (byte === COMMA) {
        at = skipSpace(bytes, at + 1, end)
        if (open[depth - 1] === OBJECT_START) at = skipKey(bytes, at, end)
        if (at < 0) return at
        break
      }
      depth--
      if (byte !== (open[depth] as number) + TO_END) return failure(at)
      at++
    }
  }
}

/** Skips a name, its colon, and the space before the value. */
function skipKey(bytes: Buffer, start: number, end: number): number {
  if (start >= end || bytes[start] !== QUOTE) return failure(start)
  const after = skipString(bytes, start + 1, end)
  return after < 0 ? after : skipColon(bytes, after, end)
}

export function skipColon(bytes: Buffer, start: number, end: number): number {
  const at = skipSpace(bytes, start, end)
  return at < end && bytes[at] === 0x3a ? skipSpace(bytes, at + 1, end) : failure(at)
}

export function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    at++
  }
  return at
}

/** Where the characters end that stand for themselves in one byte: at the quote, mostly. May lie behind the document's end. */
export function skipPlain(bytes: Buffer, start: number): number {
  let at = start
  while (IN_STRING[bytes[at] as number] === 0) at++
  return at
}

/** Goes behind the quote that ends a string. Bytes behind `end` may be read, never believed. */
export function skipString(bytes: Buffer, start: number, end: number): number {
  let at = start
  for (;;) {
    let what = IN_STRING[bytes[at] as number]
    while (what === 0) what = IN_STRING[bytes[++at] as number]
    if (at >= end) return failure(end)
    if (what === 1) return at + 1
    if (what === 4) {
      const length = sequenceLength(bytes, at, end)
      if (length === 0) return failure(at + NOT_UTF8)
      at += length
    } else if (what === 3) {
      at = skipEscape(bytes, at, end)
      if (at < 0) return at
    } else return failure(at)
  }
}

function skipEscape(bytes: Buffer, start: number, end: number): number {
  const what = start + 1 < end ? ESCAPES[bytes[start + 1] as number] : 0
  if (what === 0) return failure(start + 1)
  if (what === 1) return start + 2
  for (let at = start + 2; at < start + 6; at++) if (at >= end || HEX[bytes[at] as number] === 0) return failure(at)
  return start + 6
}

export function skipScalar(bytes: Buffer, start: number, end: number, first: number): number {
  if (first === 0x74) return skipLiteral(bytes, start, end, TRUE)
  if (first === 0x66) return skipLiteral(bytes, start, end, FALSE)
  return first === 0x6e ? skipLiteral(bytes, start, end, NULL) : skipNumber(bytes, start, end)
}

function skipLiteral(bytes: Buffer, start: number, end: number, text: Buffer): number {
  for (let index = 0; index < text.length; index++) {
    if (start + index >= end || bytes[start + index] !== text[index]) return failure(start + index)
  }
  return start + text.length
}

/** number = [ - ] int [ frac ] [ exp ] */
function skipNumber(bytes: Buffer, start: number, end: number): number {
  let at = start
  if (at < end && bytes[at] === 0x2d) at++
  if (at < end && bytes[at] === 0x30) at++
  else at = skipDigits(bytes, at, end)
  if (at >= 0 && at < end && bytes[at] === 0x2e) at = skipDigits(bytes, at + 1, end)
  if (at >= 0 && at < end && ((bytes[at] as number) | 0x20) === 0x65) {
    at++
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++
    at = skipDigits(bytes, at, end)
  }
  return at
}

/** At least one digit. */
function skipDigits(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && DIGITS[bytes[at] as number] === 1) at++
  return at === start ? failure(at) : at
}

function tableOf(characters: string, mark: number): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = mark
  return table
}
