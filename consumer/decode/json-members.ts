import { hashOf, MAX_SIBLINGS, startsAt, type JsonName, type JsonNames } from './json-names.ts'
import { KIND } from './json-scanner.ts'
import * as json from './json-skip.ts'

/** A whole number of a few digits: its value is in `numbers`. */
export const INTEGER = 9

/** Fields of one object, or of all objects in one array. */
export const MAX_FIELDS = 1000

/** Longest number that is taken apart at once: what a double holds exactly. */
const SAFE_DIGITS = 15
/** Ways to write keys that are known by their bytes; beyond, all are learned anew. */
const MAX_KEYS = 4096

/** Why an object cannot be columns. DuplicateKey: two of its members are one column. ManyValues: in one record. */
export type Objection = 'DuplicateKey' | 'LongKey' | 'ManyFields' | 'ManyValues'

/** Why a document is no row. */
export type Refusal = Objection | 'NotAnObject' | 'InvalidJson' | 'InvalidUtf8'

/** One way to write a key. */
interface Key {
  /** The bytes between its quotes, checked. */
  readonly bytes: Buffer
  readonly column: number
  /** What followed it the last time. */
  next: Key | undefined
  /** Another key of the same hash. */
  readonly sibling: Key | undefined
}

/**
 * Finds the members of an object, column by column. Keys are compared with what followed last time, so that records of one
 * producer are walked without a look-up; nothing is allocated for a key that was seen before.
 */
export class JsonMembers {
  /** Columns in the order in which they were first seen. */
  readonly columns: JsonName[] = []
  /** Per column: KIND or INTEGER, MISSING when the record has none; where; strings without their quotes. */
  kinds = new Uint8Array(64)
  starts = new Int32Array(64)
  ends = new Int32Array(64)
  numbers = new Float64Array(64)
  /** Columns of the record, in its order. */
  present = new Int32Array(64)
  count = 0
  /** Goes up when everything was forgotten. */
  generation = 0
  /** After `scan` gave something else than `Object`: the byte at which it was noticed. */
  errorAt = 0
  readonly #names: JsonNames
  #byFolded = new Map<string, number>()
  #byHash = new Map<number, Key>()
  #keys = 0
  /** What comes before the first. */
  #before: Key = { bytes: Buffer.alloc(0), column: -1, next: undefined, sibling: undefined }
  #objection: Objection | undefined
  #objectionAt = 0

  constructor(names: JsonNames) {
    this.#names = names
  }

  columnOf(folded: string): number | undefined {
    return this.#byFolded.get(folded)
  }

  /** Gives a column to what may come; it is forgotten with all others. */
  add(name: JsonName): number {
    return this.#columnFor(name)
  }

  /** No record: nothing is present. */
  clear(): void {
    for (let index = 0; index < this.count; index++) this.kinds[this.present[index] as number] = KIND.MISSING
    this.count = 0
    this.#objection = undefined
    if (this.#keys >= MAX_KEYS) this.#forget()
  }

  /** Checks the document as JsonScanner does, and finds its members if it is an object. */
  scan(bytes: Buffer, start: number, end: number): 'Object' | Refusal {
    this.clear()
    let at = json.skipSpace(bytes, start, end)
    const isObject = at < end && bytes[at] === json.OBJECT_START
    at = isObject ? this.#members(bytes, at + 1, end) : json.skipValue(bytes, at, end, 0)
    if (at >= 0) {
      at = json.skipSpace(bytes, at, end)
      if (at < end) at = json.failure(at)
    }
    if (at < 0) {
      const failed = json.readFailure(at)
      this.errorAt = Math.min(failed.at, end) - start
      return failed.error
    }
    this.errorAt = this.#objectionAt - start
    return isObject ? (this.#objection ?? 'Object') : 'NotAnObject'
  }

  #members(bytes: Buffer, start: number, end: number): number {
    let at = json.skipSpace(bytes, start, end)
    if (at < end && bytes[at] === json.OBJECT_START + json.TO_END) return at + 1
    let before = this.#before
    for (;;) {
      if (at >= end || bytes[at] !== json.QUOTE) return json.failure(at)
      let key = before.next
      if (key !== undefined && isAt(key.bytes, bytes, at + 1, end)) at += key.bytes.length + 2
      else {
        const from = at + 1
        at = json.skipString(bytes, from, end)
        if (at < 0) return at
        key = this.#find(bytes, from, at - 1)
        if (key !== undefined) before.next = key
      }
      before = key ?? before
      at = json.skipColon(bytes, at, end)
      if (at < 0) return at
      at = this.#value(key?.column ?? -1, bytes, at, end)
      if (at < 0) return at
      at = json.skipSpace(bytes, at, end)
      if (at >= end) return json.failure(at)
      const byte = bytes[at] as number
      if (byte === json.OBJECT_START + json.TO_END) return at + 1
      if (byte !== json.COMMA) return json.failure(at)
      at = json.skipSpace(bytes, at + 1, end)
    }
  }

  /** A column of -1 has none. */
  #value(column: number, bytes: Buffer, start: number, end: number): number {
    const first = start < end ? (bytes[start] as number) : 0
    if (column < 0) return json.skipValue(bytes, start, end, 1)
    if (this.kinds[column] === KIND.MISSING) this.present[this.count++] = column
    else this.#object('DuplicateKey', start)
    if (first === json.QUOTE) return this.#string(column, bytes, start + 1, end)
    if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return this.#number(column, bytes, start, end)
    const after = json.skipValue(bytes, start, end, 1)
    return after < 0 ? after : this.#found(column, kindOf(first), start, after, after)
  }

  #string(column: number, bytes: Buffer, start: number, end: number): number {
    const plain = json.skipPlain(bytes, start)
    if (plain < end && bytes[plain] === json.QUOTE) return this.#found(column, KIND.STRING, start, plain, plain + 1)
    const after = json.skipString(bytes, start, end)
    if (after < 0) return after
    for (let at = start; at < after; at++) {
      if (bytes[at] === 0x5c) return this.#found(column, KIND.ESCAPED, start, after - 1, after)
    }
    return this.#found(column, KIND.STRING, start, after - 1, after)
  }

  #number(column: number, bytes: Buffer, start: number, end: number): number {
    const isNegative = bytes[start] === 0x2d
    const from = isNegative ? start + 1 : start
    const most = Math.min(end, from + SAFE_DIGITS)
    let value = 0
    let at = from
    for (; at < most; at++) {
      const digit = (bytes[at] as number) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    const isSmall =
      at > from && at < end && !CONTINUES[bytes[at] as number] && (bytes[from] !== 0x30 || at === from + 1)
    if (!isSmall) {
      const after = json.skipScalar(bytes, start, end, bytes[start] as number)
      return after < 0 ? after : this.#found(column, KIND.NUMBER, start, after, after)
    }
    this.numbers[column] = isNegative ? 0 - value : value
    return this.#found(column, INTEGER, start, at, at)
  }

  #found(column: number, kind: number, start: number, end: number, after: number): number {
    this.kinds[column] = kind
    this.starts[column] = start
    this.ends[column] = end
    return after
  }

  /** The first objection counts; that the document is no JSON counts more. */
  #object(objection: Objection, at: number): void {
    if (this.#objection !== undefined) return
    this.#objection = objection
    this.#objectionAt = at
  }

  /** The key by its bytes, learned if it is new; undefined after an objection. */
  #find(bytes: Buffer, start: number, end: number): Key | undefined {
    const hash = hashOf(bytes, start, end)
    const first = this.#byHash.get(hash)
    let siblings = 0
    for (let key = first; key !== undefined; key = key.sibling) {
      if (key.bytes.length === end - start && startsAt(key.bytes, bytes, start)) return key
      siblings++
    }
    const name = this.#names.of(bytes, start, end)
    if (name === undefined || this.count >= MAX_FIELDS) {
      this.#object(name === undefined ? 'LongKey' : 'ManyFields', start)
      return undefined
    }
    // Keys made to have one hash would make each other slow for good.
    if (siblings >= MAX_SIBLINGS) this.#keys = MAX_KEYS
    const copy = Buffer.from(bytes.subarray(start, end))
    const key: Key = { bytes: copy, column: this.#columnFor(name), next: undefined, sibling: first }
    this.#byHash.set(hash, key)
    this.#keys++
    return key
  }

  #columnFor(name: JsonName): number {
    const found = this.#byFolded.get(name.folded)
    if (found !== undefined) return found
    const column = this.columns.push(name) - 1
    this.#byFolded.set(name.folded, column)
    if (column === this.kinds.length) this.#grow(column * 2)
    return column
  }

  #grow(length: number): void {
    this.kinds = copied(new Uint8Array(length), this.kinds)
    this.starts = copied(new Int32Array(length), this.starts)
    this.ends = copied(new Int32Array(length), this.ends)
    this.numbers = copied(new Float64Array(length), this.numbers)
    this.present = copied(new Int32Array(length), this.present)
  }

  #forget(): void {
    this.columns.length = 0
    this.#byFolded = new Map()
    this.#byHash = new Map()
    this.#keys = 0
    this.#before = { ...this.#before, next: undefined }
    this.generation++
  }
}

/** Bytes that make a number longer, or something else than a small one. */
const CONTINUES = new Uint8Array(256).map((_, byte) => (/[0-9.eE]/.test(String.fromCharCode(byte)) ? 1 : 0))

/** Whether the key stands at `start`, its quote behind it. */
function isAt(key: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const after = start + key.length
  return after < end && bytes[after] === json.QUOTE && startsAt(key, bytes, start)
}

function kindOf(first: number): number {
  switch (first) {
    case json.OBJECT_START:
      return KIND.OBJECT
    case json.ARRAY_START:
      return KIND.ARRAY
    case 0x74:
      return KIND.TRUE
    case 0x66:
      return KIND.FALSE
    default:
      return KIND.NULL
  }
}

function copied<T extends Uint8Array | Int32Array | Float64Array>(larger: T, from: T): T {
  larger.set(from)
  return larger
}
