/** Levels of a page's entries: one for each, or the one that all have. */
export type Levels = Uint8Array | number

/** Decodes Parquet's RLE/bit-packing hybrid (Encodings.md) of `count` levels of at most eight bits, without the length before it. */
export function decodeLevels(bytes: Uint8Array, start: number, count: number, bitWidth: number): Levels {
  let [header, at] = readVarint(bytes, start)
  if (header % 2 === 0 && header / 2 >= count) return bytes[at] as number
  const levels = new Uint8Array(count)
  for (let filled = 0; filled < count;) {
    if (header % 2 === 0) {
      const end = Math.min(count, filled + header / 2)
      levels.fill(bytes[at++] as number, filled, end)
      filled = end
    } else {
      const groups = (header - 1) / 2
      unpack(bytes, at, bitWidth, levels, filled, Math.min(count, filled + groups * 8))
      at += groups * bitWidth
      filled += groups * 8
    }
    if (filled < count) [header, at] = readVarint(bytes, at)
  }
  return levels
}

function unpack(bytes: Uint8Array, start: number, bitWidth: number, into: Uint8Array, from: number, to: number): void {
  const mask = (1 << bitWidth) - 1
  let held = 0
  let bits = 0
  let at = start
  for (let index = from; index < to; index++) {
    if (bits < bitWidth) {
      held |= (bytes[at++] as number) << bits
      bits += 8
    }
    into[index] = held & mask
    held >>>= bitWidth
    bits -= bitWidth
  }
}

/** An unsigned number of up to 53 bits (LEB128), and where it ends. */
export function readVarint(bytes: Uint8Array, start: number): [value: number, end: number] {
  let value = 0
  let unit = 1
  for (let at = start; ; at++) {
    const byte = bytes[at] as number
    value += (byte & 0x7f) * unit
    if (byte < 0x80) return [value, at + 1]
    unit *= 0x80
  }
}
