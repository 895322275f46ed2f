import { invariant } from '../../lib/errors.ts'
import { headerPaths } from '../columns/bronze.ts'
import { BytesColumn } from '../columns/bytes-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { HeaderIndex } from './header-index.ts'
import { isUtf8 } from './utf8.ts'

/** Dremel levels of `list<struct<key, value>>`: the list is there but empty; an element is there; a further element. */
const EMPTY = 1
const ELEMENT = 2
const FURTHER = 1

/** Writes headers into a column made for them. */
export class HeaderColumns {
  readonly #keys: BytesColumn
  readonly #values: BytesColumn

  constructor(rows: RowGroupBuffer, column: string) {
    const paths = headerPaths(column)
    this.#keys = bytesColumn(rows, paths.key)
    this.#values = bytesColumn(rows, paths.value)
  }

  append(bytes: Buffer, headers: HeaderIndex): void {
    if (headers.count === 0) {
      this.#keys.appendNull(EMPTY, 0)
      this.#values.appendNull(EMPTY, 0)
    }
    for (let header = 0; header < headers.count; header++) {
      const repetition = header === 0 ? 0 : FURTHER
      this.#appendKey(bytes, headers.keyStart(header), headers.keyLength(header), repetition)
      const length = headers.valueLength(header)
      if (length < 0) this.#values.appendNull(ELEMENT, repetition)
      else this.#values.append(bytes, headers.valueStart(header), length, ELEMENT + 1, repetition)
    }
  }

  /** No list at all. */
  appendNull(): void {
    this.#keys.appendNull(0, 0)
    this.#values.appendNull(0, 0)
  }

  /** Only dead letters have names that are not UTF-8: replacement characters stand for what is not. */
  #appendKey(bytes: Buffer, start: number, length: number, repetition: number): void {
    if (isUtf8(bytes, start, start + length)) {
      this.#keys.append(bytes, start, length, ELEMENT, repetition)
      return
    }
    const replaced = Buffer.from(bytes.toString('utf8', start, start + length))
    this.#keys.append(replaced, 0, replaced.length, ELEMENT, repetition)
  }
}

export function bytesColumn(rows: RowGroupBuffer, path: string): BytesColumn {
  const column = rows.column(path)
  invariant(column instanceof BytesColumn, `${path} is a column of text or bytes`)
  return column
}
