import { readVarint } from './page-levels.ts'

/**
 * The reverse of `packDeltas`: Parquet's DELTA_BINARY_PACKED (Encodings.md) of safe integers, with widths of up to 32 bits.
 */
export function unpackDeltas(bytes: Uint8Array, start: number): Float64Array {
  let block: number, miniblocks: number, count: number, at: number
  ;[block, at] = readVarint(bytes, start)
  ;[miniblocks, at] = readVarint(bytes, at)
  ;[count, at] = readVarint(bytes, at)
  const values = new Float64Array(count)
  let value: number
  ;[value, at] = readZigzag(bytes, at)
  if (count > 0) values[0] = value
  const size = block / miniblocks
  for (let filled = 1; filled < count;) {
    let least: number
    ;[least, at] = readZigzag(bytes, at)
    const widths = at
    at += miniblocks
    for (let mini = 0; mini < miniblocks && filled < count; mini++) {
      const width = bytes[widths + mini] as number
      const end = Math.min(count, filled + size)
      value = unpackMiniblock(bytes, at, width, values, filled, end, least, value)
      at += (size * width) / 8
      filled = end
    }
  }
  return values
}

/** Gives the last value. */
function unpackMiniblock(
  bytes: Uint8Array,
  start: number,
  width: number,
  into: Float64Array,
  from: number,
  to: number,
  least: number,
  before: number
): number {
  let value = before
  let at = start
  // Less than eight bits are left over, so that what is held has at most 40: sums, since bit operations end at 32.
  let held = 0
  let bits = 0
  const unit = 2 ** width
  for (let index = from; index < to; index++) {
    for (; bits < width; bits += 8) held += (bytes[at++] as number) * 2 ** bits
    const delta = width === 0 ? 0 : held % unit
    held = Math.floor(held / unit)
    bits -= width
    value += least + delta
    into[index] = value
  }
  return value
}

/** A safe integer with sign. Twice a safe integer may not be one: the lowest seven bits are taken apart. */
function readZigzag(bytes: Uint8Array, start: number): [value: number, end: number] {
  const first = bytes[start] as number
  const [rest, end] = first < 0x80 ? [0, start + 1] : readVarint(bytes, start + 1)
  const half = rest * 64 + ((first & 0x7f) >>> 1)
  return [first % 2 === 0 ? half : -half - 1, end]
}
