import { MAX_FIELDS, type Objection } from './json-members.ts'
import type { JsonName, JsonNames } from './json-names.ts'
import { KIND } from './json-scanner.ts'
import * as json from './json-skip.ts'

/** Containers in one another, the document's own among them; what lies deeper is kept as its JSON text. */
const MAX_CONTAINERS = 32
/** A container that is not taken apart. */
const WHOLE = 10
/** Values in the nested ones of a record, some 100 bytes of memory each. */
export const MAX_VALUES = 100_000

/** A value taken apart; its bytes stay where they are. */
export interface JsonValue {
  /** KIND, or WHOLE. */
  readonly kind: number
  /** Strings without their quotes. */
  readonly start: number
  readonly end: number
  /** Of an object, in its order. */
  readonly members: readonly JsonMember[]
  /** Of an array. */
  readonly items: readonly JsonValue[]
}

export interface JsonMember {
  readonly name: JsonName
  readonly value: JsonValue
}

const NOTHING = Buffer.alloc(0)
const NO_MEMBERS: readonly JsonMember[] = []
const NO_ITEMS: readonly JsonValue[] = []

export const scalar = (kind: number, start: number, end: number): JsonValue => ({
  kind,
  start,
  end,
  members: NO_MEMBERS,
  items: NO_ITEMS
})

/** Takes nested values apart that have been checked to be JSON. */
export class JsonTree {
  /** After `read`: why one of the record's values cannot be columns, and at which byte; undefined when it can. */
  objection: Objection | undefined
  objectionAt = 0
  readonly #names: JsonNames
  #bytes: Buffer = NOTHING
  #at = 0
  #values = 0

  constructor(names: JsonNames) {
    this.#names = names
  }

  /** Before the first value of a record. */
  reset(): void {
    this.objection = undefined
    this.#values = 0
  }

  /** The object or array of which `start` is the first byte and `end` is behind the last; the document around it is an object. */
  read(bytes: Buffer, start: number, end: number): JsonValue {
    this.#bytes = bytes
    this.#at = start
    const value = this.#value(end, 1)
    this.#bytes = NOTHING
    return value
  }

  #value(end: number, containers: number): JsonValue {
    const bytes = this.#bytes
    const start = this.#at
    const first = bytes[start] as number
    if (first === json.OBJECT_START || first === json.ARRAY_START) {
      if (containers < MAX_CONTAINERS) return this.#container(first === json.OBJECT_START, end, containers + 1)
      this.#at = json.skipValue(bytes, start, end, containers)
      return scalar(WHOLE, start, this.#at)
    }
    if (first === json.QUOTE) return this.#string(end)
    this.#at = json.skipValue(bytes, start, end, containers)
    return scalar(kindOf(first), start, this.#at)
  }

  #string(end: number): JsonValue {
    const bytes = this.#bytes
    const start = this.#at + 1
    const plain = json.skipPlain(bytes, start)
    if (plain < end && bytes[plain] === json.QUOTE) {
      this.#at = plain + 1
      return scalar(KIND.STRING, start, plain)
    }
    this.#at = json.skipString(bytes, start, end)
    let at = start
    while (at < this.#at && bytes[at] !== 0x5c) at++
    return scalar(at < this.#at ? KIND.ESCAPED : KIND.STRING, start, this.#at - 1)
  }

  #container(isObject: boolean, end: number, containers: number): JsonValue {
    const bytes = this.#bytes
    const start = this.#at
    const closing = (bytes[start] as number) + json.TO_END
    const members: JsonMember[] = []
    const items: JsonValue[] = []
    this.#at = json.skipSpace(bytes, start + 1, end)
    while (bytes[this.#at] !== closing) {
      if (this.#values++ >= MAX_VALUES) {
        this.#object('ManyValues', start)
        this.#at = json.skipValue(bytes, start, end, 0)
        return scalar(WHOLE, start, this.#at)
      }
      if (bytes[this.#at] === json.COMMA) this.#at = json.skipSpace(bytes, this.#at + 1, end)
      if (isObject) this.#member(members, end, containers)
      else items.push(this.#value(end, containers))
      this.#at = json.skipSpace(bytes, this.#at, end)
    }
    this.#at++
    if (members.length > 1) this.#compareNames(members)
    return { kind: isObject ? KIND.OBJECT : KIND.ARRAY, start, end: this.#at, members, items }
  }

  #member(members: JsonMember[], end: number, containers: number): void {
    const from = this.#at + 1
    const after = json.skipString(this.#bytes, from, end)
    const name = this.#names.of(this.#bytes, from, after - 1)
    this.#at = json.skipColon(this.#bytes, after, end)
    const value = this.#value(end, containers)
    if (name === undefined) this.#object('LongKey', from)
    else if (members.length >= MAX_FIELDS) this.#object('ManyFields', from)
    else members.push({ name, value })
  }

  #compareNames(members: readonly JsonMember[]): void {
    const seen = new Set<string>()
    for (const { name, value } of members) {
      if (seen.has(name.folded)) this.#object('DuplicateKey', value.start)
      seen.add(name.folded)
    }
  }

  #object(objection: Objection, at: number): void {
    if (this.objection !== undefined) return
    this.objection = objection
    this.objectionAt = at
  }
}

function kindOf(first: number): number {
  if (first === 0x74) return KIND.TRUE
  if (first === 0x66) return KIND.FALSE
  return first === 0x6e ? KIND.NULL : KIND.NUMBER
}
