import type { Primitive } from '../../columns/schema.ts'
import { bigEndianBytes, firstCodePoints, type PartitionValue } from '../../columns/transforms.ts'
import type { StatValue } from '../../parquet/bounds.ts'

type Value = Exclude<PartitionValue, null>

/** A value in bytes (spec, Appendix D, "Binary single-value serialization"). */
export function serialized(type: Primitive, value: Value | StatValue): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (typeof type === 'object') return bigEndianBytes(BigInt(value))
  switch (type) {
    case 'boolean':
      return Buffer.from([value === true ? 1 : 0])
    case 'float': {
      const bytes = Buffer.alloc(4)
      bytes.writeFloatLE(Number(value))
      return bytes
    }
    case 'double': {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(Number(value))
      return bytes
    }
    case 'int':
    case 'date': {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32LE(Number(value))
      return bytes
    }
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestampNtz': {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(BigInt(value))
      return bytes
    }
    case 'string':
    case 'binary':
    case 'uuid':
      throw new TypeError(`a value of ${type} is neither text nor bytes`)
  }
}

/** A bound at or below the least value; text is cut to so many code points. */
export function lowerBound(type: Primitive, least: StatValue, length: number): Buffer {
  return serialized(type, typeof least === 'string' ? firstCodePoints(least, length) : least)
}

/** A bound at or above the greatest value; undefined when no text of the length is. */
export function upperBound(type: Primitive, greatest: StatValue, length: number): Buffer | undefined {
  if (typeof greatest !== 'string') return serialized(type, greatest)
  const cut = firstCodePoints(greatest, length)
  if (cut === greatest) return Buffer.from(greatest)
  const characters = Array.from(cut)
  while (characters.length > 0) {
    const last = characters.pop()?.codePointAt(0) ?? 0
    // Surrogates are no characters; nothing follows the last one.
    const next = last === 0xd7ff ? 0xe000 : last + 1
    if (next <= 0x10_ffff) return Buffer.from(characters.join('') + String.fromCodePoint(next))
  }
  return undefined
}

/** Orders values of one type as readers compare them: text and bytes by unsigned bytes, -0 before 0. */
export function compareValues(a: PartitionValue, b: PartitionValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (a === null || b === null || a === b) return Number(Object.is(b, -0)) - Number(Object.is(a, -0))
  return a < b ? -1 : 1
}
