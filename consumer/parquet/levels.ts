/**
 * Parquet's RLE/bit-packing hybrid (Encodings.md, "RLE = 3") of small numbers: definition and repetition levels.
 * Without the length prefix.
 */
export function encodeHybrid(values: Uint8Array, count: number, bitWidth: number): Uint8Array {
  // Worst case: groups of eight, one header byte each, and the last group padded.
  const out = new Uint8Array(Math.ceil(count / 8) * (bitWidth + 1) + 16)
  let length = 0
  let at = 0
  while (at < count) {
    const run = runLength(values, at, count)
    if (run >= 8 || at + run === count) {
      length = appendVarint(out, length, run * 2)
      out[length++] = values[at] as number
      at += run
    } else {
      const groups = packedGroups(values, at, count)
      length = appendVarint(out, length, groups * 2 + 1)
      length = packGroups(out, length, values, at, Math.min(count, at + groups * 8), groups, bitWidth)
      at += groups * 8
    }
  }
  return out.subarray(0, length)
}

/** A run of one value, as the hybrid encoding has it. */
export function encodeRun(value: number, count: number): Uint8Array {
  const out = new Uint8Array(6)
  const length = appendVarint(out, 0, count * 2)
  out[length] = value
  return out.subarray(0, length + 1)
}

/** Bits that hold every level up to `max`. */
export const levelBits = (max: number): number => 32 - Math.clz32(max)

function runLength(values: Uint8Array, from: number, count: number): number {
  const value = values[from]
  let to = from + 1
  while (to < count && values[to] === value) to++
  return to - from
}

/** How many groups of eight to pack before the next run that is worth its own header. */
function packedGroups(values: Uint8Array, from: number, count: number): number {
  let groups = 0
  for (let at = from; at < count; at += 8) {
    if (groups > 0 && runLength(values, at, Math.min(count, at + 16)) >= 16) break
    groups++
  }
  return groups
}

function packGroups(
  out: Uint8Array,
  start: number,
  values: Uint8Array,
  from: number,
  to: number,
  groups: number,
  bitWidth: number
): number {
  let length = start
  let bits = 0
  let held = 0
  for (let at = from; at < from + groups * 8; at++) {
    bits |= (at < to ? (values[at] as number) : 0) << held
    for (held += bitWidth; held >= 8; held -= 8) {
      out[length++] = bits & 0xff
      bits >>>= 8
    }
  }
  return length
}

function appendVarint(out: Uint8Array, start: number, value: number): number {
  let length = start
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[length++] = (rest % 0x80) | 0x80
  out[length++] = rest
  return length
}
