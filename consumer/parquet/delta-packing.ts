const BLOCK = 128
const MINIBLOCKS = 4
const MINIBLOCK = BLOCK / MINIBLOCKS
/** Deltas are packed with at most 32 bits: beyond, plain values are as small and simpler. */
const MAX_PACKED = 2 ** 32
/** Those of one block; the same memory for all, as nothing of them is kept. */
const DELTAS = new Float64Array(BLOCK)

/**
 * Parquet's DELTA_BINARY_PACKED (Encodings.md) of safe integers. Undefined when the values jump so far that it would gain
 * nothing.
 */
export function packDeltas(values: Float64Array, count: number): Uint8Array | undefined {
  const out = new Packer(count)
  out.varint(BLOCK)
  out.varint(MINIBLOCKS)
  out.varint(count)
  out.zigzag(count === 0 ? 0 : (values[0] as number))
  const deltas = DELTAS
  for (let from = 1; from < count; from += BLOCK) {
    const size = Math.min(BLOCK, count - from)
    let least = Infinity
    let most = -Infinity
    for (let index = 0; index < size; index++) {
      const delta = (values[from + index] as number) - (values[from + index - 1] as number)
      deltas[index] = delta
      if (delta < least) least = delta
      if (delta > most) most = delta
    }
    if (most - least >= MAX_PACKED || !Number.isSafeInteger(least)) return undefined
    out.zigzag(least)
    // What pads the last miniblock must be a delta of zero above the least.
    deltas.fill(least, size)
    out.block(deltas, least, size)
  }
  return out.bytes()
}

class Packer {
  readonly #out: Uint8Array
  #length = 0

  constructor(count: number) {
    const blocks = Math.ceil(count / BLOCK) + 1
    this.#out = new Uint8Array(32 + blocks * (10 + MINIBLOCKS + BLOCK * 4))
  }

  bytes(): Uint8Array {
    return this.#out.subarray(0, this.#length)
  }

  varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#out[this.#length++] = (rest % 0x80) | 0x80
    this.#out[this.#length++] = rest
  }

  zigzag(value: number): void {
    // Twice a safe integer may not be one: the lowest seven bits are taken apart first.
    const half = value < 0 ? -value - 1 : value
    const sign = value < 0 ? 1 : 0
    const low = (half % 64) * 2 + sign
    const rest = Math.floor(half / 64)
    if (rest === 0) {
      this.#out[this.#length++] = low
      return
    }
    this.#out[this.#length++] = low | 0x80
    this.varint(rest)
  }

  block(deltas: Float64Array, least: number, size: number): void {
    const widthsAt = this.#length
    this.#length += MINIBLOCKS
    for (let mini = 0; mini < MINIBLOCKS; mini++) {
      const from = mini * MINIBLOCK
      let most = 0
      if (from < size) {
        for (let index = from; index < from + MINIBLOCK; index++) {
          most = Math.max(most, (deltas[index] as number) - least)
        }
      }
      const width = 32 - Math.clz32(most)
      this.#out[widthsAt + mini] = width
      if (width > 0) this.#miniblock(deltas, least, from, width)
    }
  }

  #miniblock(deltas: Float64Array, least: number, from: number, width: number): void {
    const out = this.#out
    let length = this.#length
    let held = 0
    let low = 0
    for (let index = from; index < from + MINIBLOCK; index++) {
      const value = ((deltas[index] as number) - least) >>> 0
      low |= value << held
      const spill = held === 0 ? 0 : value >>> (32 - held)
      held += width
      if (held < 32) continue
      out[length++] = low & 0xff
      out[length++] = (low >>> 8) & 0xff
      out[length++] = (low >>> 16) & 0xff
      out[length++] = low >>> 24
      held -= 32
      low = held === 0 ? 0 : spill
    }
    // 32 values of any width fill whole words: nothing is left over.
    this.#length = length
  }
}
