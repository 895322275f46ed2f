import type { Leaf } from '../parquet/leaves.ts'
import { WidthColumn } from './width-column.ts'

/** Values of a fixed number of bytes. They have no bounds. */
export class FixedBytesColumn extends WidthColumn {
  /** Copies `width` bytes. */
  append(source: Uint8Array, start: number, definition = this.leaf.maxDefinition, repetition = 0): void {
    const at = this.reserve(repetition)
    const { buffer, width } = this
    for (let index = 0; index < width; index++) buffer[at + index] = source[start + index] as number
    this.present(definition, repetition)
  }

  override appendValue(value: unknown, definition: number, repetition: number): void {
    if (!(value instanceof Uint8Array) || value.length !== this.width)
      throw new TypeError(`a column of ${this.width} bytes was given ${typeof value}`)
    this.append(value, 0, definition, repetition)
  }

  override min(): undefined {
    return undefined
  }

  override max(): undefined {
    return undefined
  }
}

/** UUIDs: 16 bytes, in the order in which their text names them. */
export class UuidColumn extends FixedBytesColumn {
  constructor(leaf: Leaf) {
    super(leaf, 16)
  }

  /** The 36 characters of the text at `start`; that it is a UUID has been checked (`isUuid`). */
  appendText(source: Uint8Array, start: number, definition = this.leaf.maxDefinition, repetition = 0): void {
    const at = this.reserve(repetition)
    let from = start
    for (let index = 0; index < 16; index++) {
      if (index === 4 || index === 6 || index === 8 || index === 10) from++
      this.buffer[at + index] = (nibble(source[from] as number) << 4) | nibble(source[from + 1] as number)
      from += 2
    }
    this.present(definition, repetition)
  }

  /** Its bytes or its text. */
  override appendValue(value: unknown, definition: number, repetition: number): void {
    if (typeof value !== 'string') {
      super.appendValue(value, definition, repetition)
      return
    }
    const text = Buffer.from(value)
    if (!isUuid(text, 0, text.length)) throw new TypeError('a column of UUIDs was given other text')
    this.appendText(text, 0, definition, repetition)
  }
}

/** Whether the bytes are the text of a UUID (RFC 9562): 8-4-4-4-12 hexadecimal digits of either case. */
export function isUuid(source: Uint8Array, start: number, length: number): boolean {
  if (length !== 36) return false
  for (let index = 0; index < 36; index++) {
    const byte = source[start + index] as number
    const isDash = index === 8 || index === 13 || index === 18 || index === 23
    if (isDash ? byte !== 0x2d : !isHex(byte)) return false
  }
  return true
}

const isHex = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)

/** Of a hexadecimal digit of either case. */
const nibble = (byte: number): number => (byte & 0xf) + (byte >= 0x41 ? 9 : 0)
