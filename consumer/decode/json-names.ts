import { folded } from '../columns/evolve.ts'

/** Longest name of a column, in UTF-16 units. */
export const MAX_NAME = 128
/** A key of more bytes has a longer name, however it is escaped (`\ud83d\ude00` is one character of two units). */
const MAX_KEY_BYTES = 6 * MAX_NAME
/** Keys remembered; documents that have data for keys would fill the memory. */
const MAX_REMEMBERED = 4096
/** Keys of one hash after which all are learned anew: they would make each other slow. */
export const MAX_SIBLINGS = 32
const BACKSLASH = 0x5c

export interface JsonName {
  /** Of the column. */
  readonly name: string
  /** By which it is compared: engines take `Id` and `id` for the same column. */
  readonly folded: string
}

/**
 * The column of a key: letters and digits of all scripts stay, any other character becomes `_`; what would begin with a
 * digit, or be empty, has one `_` before it. Undefined when the name is longer than MAX_NAME.
 */
export function columnNameOf(key: string): string | undefined {
  const name = key.replaceAll(/[^\p{L}\p{M}\p{N}_]/gu, '_')
  const whole = name === '' || /^\p{N}/u.test(name) ? `_${name}` : name
  return whole.length > MAX_NAME ? undefined : whole
}

/** A way to write a key. */
interface Remembered {
  readonly bytes: Buffer
  /** Undefined when it is too long. */
  readonly name: JsonName | undefined
  /** Another one of the same hash. */
  readonly sibling: Remembered | undefined
}

/** Names of keys, remembered by how the keys are written. */
export class JsonNames {
  readonly #byHash = new Map<number, Remembered>()
  #count = 0

  /** The key lies between its quotes; it has been checked. Undefined when it is too long. */
  of(bytes: Buffer, start: number, end: number): JsonName | undefined {
    if (end - start > MAX_KEY_BYTES) return undefined
    const hash = hashOf(bytes, start, end)
    const first = this.#byHash.get(hash)
    let siblings = 0
    for (let key = first; key !== undefined; key = key.sibling) {
      if (key.bytes.length === end - start && startsAt(key.bytes, bytes, start)) return key.name
      siblings++
    }
    const name = columnNameOf(stringOf(bytes, start, end))
    if (this.#count++ === MAX_REMEMBERED || siblings >= MAX_SIBLINGS) {
      this.#byHash.clear()
      this.#count = 1
    }
    const made = name === undefined ? undefined : { name, folded: folded(name) }
    const key = { bytes: Buffer.from(bytes.subarray(start, end)), name: made, sibling: this.#byHash.get(hash) }
    this.#byHash.set(hash, key)
    return made
  }
}

export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0
  return hash
}

/** Whether the key's bytes stand there; what lies behind the end of `bytes` is equal to nothing. */
export function startsAt(key: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < key.length; index++) if (key[index] !== bytes[start + index]) return false
  return true
}

/** The text between the quotes of a string that has been checked. Half surrogates in escapes stay as they are. */
export function stringOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return JSON.parse(`"${text}"`) as string
  return text
}
