import { type PathNode } from './json-path.ts'
import { sequenceLength } from './utf8.ts'

/** What a value is; MISSING when the document has none there. */
export const KIND = {
  MISSING: 0,
  STRING: 1,
  /** A string with escapes in it. */
  ESCAPED: 2,
  NUMBER: 3,
  TRUE: 4,
  FALSE: 5,
  NULL: 6,
  OBJECT: 7,
  ARRAY: 8
} as const

/** Deeper documents are refused: those who read the tables have limits too (Jackson's is the same). */
export const MAX_DEPTH = 1000

const QUOTE = 0x22
const OBJECT_START = 0x7b
const ARRAY_START = 0x5b
/** `}` and `]` lie two above their openings. */
const TO_END = 2

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

/**
 * Checks a document against RFC 8259, UTF-8 included, and finds the wanted values in the same pass over its bytes. Of
 * duplicate keys the last counts, with all that is below it. Nothing is decoded, and nothing allocated.
 */
export class JsonScanner {
  /** Per wanted column, after `scan`: what was found and where; for strings without the quotes. */
  readonly kinds: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** After `scan` returned false. */
  error: 'InvalidUtf8' | 'InvalidJson' = 'InvalidJson'
  /** The byte of the document at which it stops being JSON. */
  errorAt = 0

  readonly #root: PathNode | undefined
  /** Of each open container: its first byte, where that is, what is wanted of it, and the index of an array's element. */
  readonly #openings = new Uint8Array(MAX_DEPTH)
  readonly #positions = new Int32Array(MAX_DEPTH)
  readonly #nodes: (PathNode | undefined)[] = Array.from({ length: MAX_DEPTH }, () => undefined)
  readonly #indexes = new Int32Array(MAX_DEPTH)
  /** What is wanted of the value that comes next. */
  #wanted: PathNode | undefined
  #hasEscape = false

  constructor(root: PathNode | undefined, columns: number) {
    this.#root = root
    this.kinds = new Uint8Array(columns)
    this.starts = new Int32Array(columns)
    this.ends = new Int32Array(columns)
  }

  /** Whether the bytes are one JSON document; if not, `error` and `errorAt` say why. */
  scan(bytes: Buffer, start: number, end: number): boolean {
    this.kinds.fill(KIND.MISSING)
    this.error = 'InvalidJson'
    const at = this.#document(bytes, start, end)
    if (at >= 0) return true
    this.errorAt = Math.min(failure(at), end) - start
    return false
  }

  /** The end of the document; like all that walk the bytes, -1 - p when it goes wrong at p. */
  #document(bytes: Buffer, start: number, end: number): number {
    let at = start
    let depth = 0
    this.#wanted = this.#root
    for (;;) {
      at = skipSpace(bytes, at, end)
      const first = at < end ? (bytes[at] as number) : 0
      if (first === OBJECT_START || first === ARRAY_START) {
        if (depth === MAX_DEPTH) return failure(at)
        this.#openings[depth] = first
        this.#positions[depth] = at
        this.#nodes[depth] = this.#wanted
        this.#indexes[depth] = 0
        depth++
        at = skipSpace(bytes, at + 1, end)
        if (at >= end) return failure(at)
        if (bytes[at] !== first + TO_END) {
          at = this.#next(bytes, at, end, depth - 1)
          if (at < 0) return at
          continue
        }
      } else {
        at = this.#scalar(bytes, at, end)
        if (at < 0) return at
      }
      // A value has ended, or an empty container is to be closed.
      for (;;) {
        at = skipSpace(bytes, at, end)
        if (depth === 0) return at === end ? at : failure(at)
        if (at >= end) return failure(at)
        const byte = bytes[at] as number
        if (byte === 0x2c) {
          at = this.#next(bytes, skipSpace(bytes, at + 1, end), end, depth - 1)
          if (at < 0) return at
          break
        }
        depth--
        if (byte !== (this.#openings[depth] as number) + TO_END) return failure(at)
        at++
        const node = this.#nodes[depth]
        if (node !== undefined && node.columns.length > 0) {
          const kind = this.#openings[depth] === OBJECT_START ? KIND.OBJECT : KIND.ARRAY
          this.#capture(node, kind, this.#positions[depth] as number, at)
        }
      }
    }
  }

  /** Goes to the next member of the container at `depth`: over its key, if it is an object's, to its value. */
  #next(bytes: Buffer, at: number, end: number, depth: number): number {
    const node = this.#nodes[depth]
    if (this.#openings[depth] === ARRAY_START) {
      const index = this.#indexes[depth] as number
      this.#indexes[depth] = index + 1
      this.#wanted = node === undefined || node.children.length === 0 ? undefined : this.#element(node, index)
      return at
    }
    if (at >= end || bytes[at] !== QUOTE) return failure(at)
    this.#hasEscape = false
    let after = this.#string(bytes, at + 1, end)
    if (after < 0) return after
    this.#wanted =
      node === undefined || node.children.length === 0 ? undefined : this.#member(node, bytes, at + 1, after - 1)
    after = skipSpace(bytes, after, end)
    return after < end && bytes[after] === 0x3a ? after + 1 : failure(after)
  }

  #scalar(bytes: Buffer, at: number, end: number): number {
    if (at >= end) return failure(at)
    const first = bytes[at] as number
    const node = this.#wanted
    if (first === QUOTE) {
      this.#hasEscape = false
      const after = this.#string(bytes, at + 1, end)
      if (after >= 0 && node !== undefined) {
        this.#capture(node, this.#hasEscape ? KIND.ESCAPED : KIND.STRING, at + 1, after - 1)
      }
      return after
    }
    let after: number
    let kind: number = KIND.NUMBER
    if (first === 0x74) {
      after = literal(bytes, at, end, TRUE)
      kind = KIND.TRUE
    } else if (first === 0x66) {
      after = literal(bytes, at, end, FALSE)
      kind = KIND.FALSE
    } else if (first === 0x6e) {
      after = literal(bytes, at, end, NULL)
      kind = KIND.NULL
    } else after = number(bytes, at, end)
    if (after >= 0 && node !== undefined) this.#capture(node, kind, at, after)
    return after
  }

  /** Goes behind the quote that ends a string. Bytes behind `end` may be read, never believed. */
  #string(bytes: Buffer, start: number, end: number): number {
    let at = start
    for (;;) {
      let what = IN_STRING[bytes[at] as number]
      while (what === 0) what = IN_STRING[bytes[++at] as number]
      if (at >= end) return failure(end)
      if (what === 1) return at + 1
      if (what === 4) {
        const length = sequenceLength(bytes, at, end)
        if (length === 0) {
          this.error = 'InvalidUtf8'
          return failure(at)
        }
        at += length
      } else if (what === 3) {
        this.#hasEscape = true
        at = escape(bytes, at, end)
        if (at < 0) return at
      } else return failure(at)
    }
  }

  #capture({ columns }: PathNode, kind: number, start: number, end: number): void {
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as number
      this.kinds[column] = kind
      this.starts[column] = start
      this.ends[column] = end
    }
  }

  /** What is wanted of a member; what an earlier one of the same name gave is forgotten. */
  #member(node: PathNode, bytes: Buffer, start: number, end: number): PathNode | undefined {
    const { keys, children } = node
    const key = this.#hasEscape ? Buffer.from(JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string) : bytes
    const from = this.#hasEscape ? 0 : start
    const length = this.#hasEscape ? key.length : end - start
    for (let index = 0; index < keys.length; index++) {
      if (!isEqual(keys[index] as Buffer, key, from, length)) continue
      const child = children[index] as PathNode
      for (const column of child.below) this.kinds[column] = KIND.MISSING
      return child
    }
    return undefined
  }

  #element({ children, indexes }: PathNode, index: number): PathNode | undefined {
    const found = indexes.indexOf(index)
    return found < 0 ? undefined : children[found]
  }
}

/** Marks the position at which bytes go wrong, and takes the mark off again. */
const failure = (at: number): number => -1 - at

function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
    at++
  }
  return at
}

function escape(bytes: Buffer, start: number, end: number): number {
  const what = start + 1 < end ? ESCAPES[bytes[start + 1] as number] : 0
  if (what === 0) return failure(start + 1)
  if (what === 1) return start + 2
  for (let at = start + 2; at < start + 6; at++) if (at >= end || HEX[bytes[at] as number] === 0) return failure(at)
  return start + 6
}

function literal(bytes: Buffer, start: number, end: number, text: Buffer): number {
  for (let index = 0; index < text.length; index++) {
    if (start + index >= end || bytes[start + index] !== text[index]) return failure(start + index)
  }
  return start + text.length
}

/** number = [ - ] int [ frac ] [ exp ] */
function number(bytes: Buffer, start: number, end: number): number {
  let at = start
  if (at < end && bytes[at] === 0x2d) at++
  if (at < end && bytes[at] === 0x30) at++
  else at = digits(bytes, at, end)
  if (at >= 0 && at < end && bytes[at] === 0x2e) at = digits(bytes, at + 1, end)
  if (at >= 0 && at < end && ((bytes[at] as number) | 0x20) === 0x65) {
    at++
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++
    at = digits(bytes, at, end)
  }
  return at
}

/** At least one digit. */
function digits(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && DIGITS[bytes[at] as number] === 1) at++
  return at === start ? failure(at) : at
}

function isEqual(key: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (key.length !== length) return false
  for (let index = 0; index < length; index++) if (key[index] !== bytes[start + index]) return false
  return true
}

function tableOf(characters: string, mark: number): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = mark
  return table
}
