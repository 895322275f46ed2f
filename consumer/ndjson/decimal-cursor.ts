import { decimalBytes, formatDecimal, unscaledOf } from '../columns/decimal.ts'
import type { DecimalType } from '../columns/schema.ts'
import type { Leaf } from '../parquet/leaves.ts'
import { writeSafeDecimal } from './digits.ts'
import { LeafCursor } from './leaf-cursor.ts'
import type { OpenPage } from './open-page.ts'
import type { Output } from './output.ts'

/** Decimals, as numbers with all their digits and no exponent. */
export class DecimalCursor extends LeafCursor {
  readonly #scale: number
  readonly #width: number
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(leaf: Leaf, pages: Iterator<OpenPage>, { precision, scale }: DecimalType) {
    super(leaf, pages)
    this.#scale = scale
    this.#width = decimalBytes(precision)
  }

  protected override open({ bytes, start }: OpenPage): void {
    this.#bytes = bytes
    this.#at = start
  }

  protected override value(out: Output): void {
    const at = this.#at
    this.#at += this.#width
    const value = this.#number(at)
    if (Number.isSafeInteger(value) && writeSafeDecimal(out, value, this.#scale)) return
    out.ascii(formatDecimal(this.#big(at), this.#scale))
  }

  /** What is no safe integer comes as another number that is none. */
  #number(at: number): number {
    const bytes = this.#bytes
    const width = this.#width
    if (width === 4) return bytes.readInt32LE(at)
    if (width === 8) return bytes.readInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at)
    const end = at + width
    let value = (bytes[at] as number) >= 0x80 ? -1 : 0
    for (let index = at; index < end; index++) value = value * 256 + (bytes[index] as number)
    return value
  }

  #big(at: number): bigint {
    if (this.#width === 8) return this.#bytes.readBigInt64LE(at)
    return unscaledOf(this.#bytes, at, this.#width)
  }
}
