const C1 = 0xcc9e2d51
const C2 = 0x1b873593

/** Murmur3 of 32 bits, x86 variant, seed 0, as a signed integer (Iceberg spec, Appendix B). */
export function murmur3(bytes: Uint8Array): number {
  const blocks = bytes.length & ~3
  let hash = 0
  for (let index = 0; index < blocks; index += 4) {
    const block = byte(bytes, index) | (byte(bytes, index + 1) << 8) | (byte(bytes, index + 2) << 16)
    hash ^= scrambled(block | (byte(bytes, index + 3) << 24))
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64
  }
  let tail = 0
  for (let index = bytes.length - 1; index >= blocks; index--) tail = (tail << 8) | byte(bytes, index)
  if (bytes.length > blocks) hash ^= scrambled(tail)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function scrambled(block: number): number {
  const mixed = Math.imul(block, C1)
  return Math.imul((mixed << 15) | (mixed >>> 17), C2)
}

const byte = (bytes: Uint8Array, index: number): number => bytes[index] as number
