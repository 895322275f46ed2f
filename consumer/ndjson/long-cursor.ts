import { writeInteger } from './digits.ts'
import { LeafCursor } from './leaf-cursor.ts'
import type { OpenPage } from './open-page.ts'
import type { Output } from './output.ts'
import { TimeText, writeTime } from './time-text.ts'
import { unpackDeltas } from './unpack-deltas.ts'

const MICROS = 1_000_000
const BIG_MICROS = 1_000_000n

/** 64-bit integers. A page of which one is no safe integer is gone through in bigints. */
export class LongCursor extends LeafCursor {
  #values: Float64Array = new Float64Array(0)
  #wide: BigInt64Array | undefined
  #index = 0
  #isNull = true

  /** The value of the entry written last; undefined when that is null. */
  get last(): number | undefined {
    if (this.#isNull) return undefined
    return this.#wide === undefined ? this.#values[this.#index - 1] : Number(this.#wide[this.#index - 1])
  }

  protected override open({ bytes, start, encoding }: OpenPage): void {
    this.#index = 0
    this.#wide = undefined
    if (encoding === 'DELTA_BINARY_PACKED') {
      this.#values = unpackDeltas(bytes, start)
      return
    }
    const wide = new BigInt64Array(Uint8Array.from(bytes.subarray(start)).buffer)
    const values = safeNumbers(wide)
    if (values === undefined) this.#wide = wide
    else this.#values = values
  }

  protected override absent(out: Output): void {
    this.#isNull = true
    super.absent(out)
  }

  protected override value(out: Output): void {
    this.#isNull = false
    const index = this.#index++
    if (this.#wide === undefined) this.safe(out, this.#values, index)
    else this.big(out, this.#wide[index] as bigint)
  }

  protected safe(out: Output, values: Float64Array, index: number): void {
    writeInteger(out, values, index)
  }

  protected big(out: Output, value: bigint): void {
    out.ascii(String(value))
  }
}

/** Microseconds since 1970. */
export class TimestampCursor extends LongCursor {
  readonly #text = new TimeText()
  readonly #isUtc = this.leaf.type === 'timestamp'

  protected override safe(out: Output, values: Float64Array, index: number): void {
    const micros = values[index] as number
    const second = Math.floor(micros / MICROS)
    this.#text.timestamp(out, second, micros - second * MICROS, this.#isUtc)
  }

  protected override big(out: Output, value: bigint): void {
    const micros = ((value % BIG_MICROS) + BIG_MICROS) % BIG_MICROS
    this.#text.timestamp(out, Number((value - micros) / BIG_MICROS), Number(micros), this.#isUtc)
  }
}

/** Microseconds since midnight, of which none is too large. */
export class TimeCursor extends LongCursor {
  protected override safe(out: Output, values: Float64Array, index: number): void {
    writeTime(out, values, index)
  }
}

/** Undefined when one is no safe integer. */
function safeNumbers(wide: BigInt64Array): Float64Array | undefined {
  const halves = new Int32Array(wide.buffer)
  const values = new Float64Array(wide.length)
  for (let index = 0; index < wide.length; index++) {
    const value = (halves[index * 2 + 1] as number) * 2 ** 32 + ((halves[index * 2] as number) >>> 0)
    if (!Number.isSafeInteger(value)) return undefined
    values[index] = value
  }
  return values
}
