import type { PathNode } from './json-path.ts'
import * as json from './json-skip.ts'

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

const BACKSLASH = 0x5c
const NOTHING: PathNode = { columns: [], below: [], keys: [], indexes: [], children: [] }

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
  readonly #root: PathNode

  constructor(root: PathNode | undefined, columns: number) {
    this.#root = root ?? NOTHING
    this.kinds = new Uint8Array(columns)
    this.starts = new Int32Array(columns)
    this.ends = new Int32Array(columns)
  }

  /** Whether the bytes are one JSON document; if not, `error` and `errorAt` say why. */
  scan(bytes: Buffer, start: number, end: number): boolean {
    this.kinds.fill(KIND.MISSING)
    let at = this.#value(this.#root, bytes, json.skipSpace(bytes, start, end), end, 0)
    if (at >= 0) {
      at = json.skipSpace(bytes, at, end)
      if (at === end) return true
      at = json.failure(at)
    }
    const failed = json.readFailure(at)
    this.error = failed.error
    this.errorAt = Math.min(failed.at, end) - start
    return false
  }

  /** Calls itself no deeper than the pointers go; what nobody wants is skipped flat. */
  #value(node: PathNode, bytes: Buffer, start: number, end: number, depth: number): number {
    const first = start < end ? (bytes[start] as number) : 0
    const isContainer = first === json.OBJECT_START || first === json.ARRAY_START
    const after =
      isContainer && node.children.length > 0
        ? this.#container(node, bytes, start, end, depth)
        : json.skipValue(bytes, start, end, depth)
    if (after >= 0 && node.columns.length > 0) this.#capture(node.columns, first, bytes, start, after)
    return after
  }

  #container(node: PathNode, bytes: Buffer, start: number, end: number, depth: number): number {
    if (depth === json.MAX_DEPTH) return json.failure(start)
    const isObject = bytes[start] === json.OBJECT_START
    const closing = (bytes[start] as number) + json.TO_END
    let at = json.skipSpace(bytes, start + 1, end)
    if (at < end && bytes[at] === closing) return at + 1
    for (let index = 0; ; index++) {
      let child: PathNode | undefined
      if (isObject) {
        if (at >= end || bytes[at] !== json.QUOTE) return json.failure(at)
        const keyStart = at + 1
        const plain = json.skipPlain(bytes, keyStart)
        const isPlain = plain < end && bytes[plain] === json.QUOTE
        at = isPlain ? plain + 1 : json.skipString(bytes, keyStart, end)
        if (at < 0) return at
        child = this.#member(node, bytes, keyStart, at - 1, isPlain)
        at = json.skipColon(bytes, at, end)
        if (at < 0) return at
      } else child = node.children[node.indexes.indexOf(index)]
      at = this.#value(child ?? NOTHING, bytes, at, end, depth + 1)
      if (at < 0) return at
      at = json.skipSpace(bytes, at, end)
      if (at >= end) return json.failure(at)
      const byte = bytes[at] as number
      if (byte === closing) return at + 1
      if (byte !== json.COMMA) return json.failure(at)
      at = json.skipSpace(bytes, at + 1, end)
    }
  }

  #capture(columns: readonly number[], first: number, bytes: Buffer, start: number, end: number): void {
    const kind = kindOf(first, bytes, start, end)
    const isString = kind === KIND.STRING || kind === KIND.ESCAPED
    for (const column of columns) {
      this.kinds[column] = kind
      this.starts[column] = isString ? start + 1 : start
      this.ends[column] = isString ? end - 1 : end
    }
  }

  /** What is wanted of a member; what an earlier one of the same name gave is forgotten. */
  #member(
    { keys, children }: PathNode,
    bytes: Buffer,
    start: number,
    end: number,
    isPlain: boolean
  ): PathNode | undefined {
    let [key, from, length] = [bytes, start, end - start]
    if (!isPlain && hasEscape(bytes, start, end)) {
      key = Buffer.from(JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string)
      from = 0
      length = key.length
    }
    for (let index = 0; index < keys.length; index++) {
      if (!isEqual(keys[index] as Buffer, key, from, length)) continue
      const child = children[index] as PathNode
      for (const column of child.below) this.kinds[column] = KIND.MISSING
      return child
    }
    return undefined
  }
}

function kindOf(first: number, bytes: Buffer, start: number, end: number): number {
  switch (first) {
    case json.QUOTE:
      return hasEscape(bytes, start + 1, end - 1) ? KIND.ESCAPED : KIND.STRING
    case json.OBJECT_START:
      return KIND.OBJECT
    case json.ARRAY_START:
      return KIND.ARRAY
    case 0x74:
      return KIND.TRUE
    case 0x66:
      return KIND.FALSE
    case 0x6e:
      return KIND.NULL
    default:
      return KIND.NUMBER
  }
}

function hasEscape(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true
  return false
}

function isEqual(key: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (key.length !== length) return false
  for (let index = 0; index < length; index++) if (key[index] !== bytes[start + index]) return false
  return true
}
