import { writeDouble, writeInteger } from './digits.ts'
import { LeafCursor } from './leaf-cursor.ts'
import type { OpenPage } from './open-page.ts'
import type { Output } from './output.ts'
import { TimeText } from './time-text.ts'

/** float and double. */
export class DoubleCursor extends LeafCursor {
  #values: Float64Array = new Float64Array(0)
  #index = 0

  protected override open({ bytes, start }: OpenPage): void {
    const { buffer } = Uint8Array.from(bytes.subarray(start))
    this.#values = this.leaf.type === 'double' ? new Float64Array(buffer) : Float64Array.from(new Float32Array(buffer))
    this.#index = 0
  }

  protected override value(out: Output): void {
    writeDouble(out, this.#values, this.#index++)
  }
}

/** Integers of 32 bits. */
export class IntCursor extends LeafCursor {
  #values: Float64Array = new Float64Array(0)
  #index = 0

  protected override open({ bytes, start }: OpenPage): void {
    this.#values = Float64Array.from(new Int32Array(Uint8Array.from(bytes.subarray(start)).buffer))
    this.#index = 0
  }

  protected override value(out: Output): void {
    this.integer(out, this.#values, this.#index++)
  }

  protected integer(out: Output, values: Float64Array, index: number): void {
    writeInteger(out, values, index)
  }
}

/** Days since 1970. */
export class DateCursor extends IntCursor {
  readonly #text = new TimeText()

  protected override integer(out: Output, values: Float64Array, index: number): void {
    this.#text.date(out, values[index] as number)
  }
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

/** Booleans: one bit each. */
export class BooleanCursor extends LeafCursor {
  #bytes: Buffer = Buffer.alloc(0)
  #bit = 0

  protected override open({ bytes, start }: OpenPage): void {
    this.#bytes = bytes
    this.#bit = start * 8
  }

  protected override value(out: Output): void {
    const bit = this.#bit++
    const isTrue = ((this.#bytes[bit >>> 3] as number) >>> (bit & 7)) & 1
    out.append(isTrue === 1 ? TRUE : FALSE)
  }
}
