import type { RecordCursor } from '../record-batch.ts'

const FIRST_ROOM = 64

/** Positions of one record's headers; walked once, before anything of the record is written. */
export class HeaderIndex {
  count = 0
  /** Four numbers per header: key start and length, value start and length (-1: null). */
  #positions = new Int32Array(FIRST_ROOM)

  /** Throws RangeError when the headers exceed the record. */
  read(cursor: RecordCursor): void {
    this.count = 0
    if (cursor.headerCount > 0) cursor.forEachHeader(this.#add)
  }

  keyStart(header: number): number {
    return this.#positions[header * 4] as number
  }

  keyLength(header: number): number {
    return this.#positions[header * 4 + 1] as number
  }

  valueStart(header: number): number {
    return this.#positions[header * 4 + 2] as number
  }

  valueLength(header: number): number {
    return this.#positions[header * 4 + 3] as number
  }

  /** The last header of that name; -1 when there is none. */
  find(bytes: Buffer, name: Buffer): number {
    for (let header = this.count - 1; header >= 0; header--) {
      const start = this.keyStart(header)
      const length = this.keyLength(header)
      if (length === name.length && bytes.compare(name, 0, length, start, start + length) === 0) return header
    }
    return -1
  }

  readonly #add = (keyStart: number, keyLength: number, valueStart: number, valueLength: number): void => {
    const at = this.count * 4
    if (at === this.#positions.length) {
      const larger = new Int32Array(at * 2)
      larger.set(this.#positions)
      this.#positions = larger
    }
    this.#positions[at] = keyStart
    this.#positions[at + 1] = keyLength
    this.#positions[at + 2] = valueStart
    this.#positions[at + 3] = valueLength
    this.count++
  }
}
