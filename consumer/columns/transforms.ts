import { invariant } from '../../lib/errors.ts'
import { murmur3 } from './murmur3.ts'
import type { Primitive, Transform } from './schema.ts'

/**
 * A value of a partition field: long, time, timestamps and (unscaled) decimals are bigints, other numbers and dates numbers;
 * uuid, fixed and binary are bytes.
 */
export type PartitionValue = string | number | bigint | boolean | Uint8Array | null

/** What a column may hold, as row groups take it: UUIDs as text or bytes, longs as number or bigint. */
export type SourceValue = string | number | bigint | boolean | Uint8Array | null | undefined

const MICROS_PER_HOUR = 3_600_000_000
const MS_PER_DAY = 86_400_000

/** The value of a partition field for a column's value (Iceberg spec, "Partition Transforms"). Null stays null. */
export function transformed(transform: Transform, type: Primitive, value: SourceValue): PartitionValue {
  if (value === null || value === undefined) return null
  invariant(resultType(transform, type) !== undefined, "the transform applies to the column's type")
  // Once per row: numbers are faster than bigints.
  if (typeof value === 'number' && isCalendar(transform) && type !== 'date')
    return ofHours(transform, Math.floor(value / MICROS_PER_HOUR))
  const canonical = canonicalValue(type, value)
  if (typeof transform === 'object') {
    if ('bucket' in transform) return (murmur3(hashed(type, canonical)) & 0x7fff_ffff) % transform.bucket
    return truncated(canonical, transform.truncate)
  }
  if (!isCalendar(transform)) return canonical
  if (type === 'date') return ofDay(transform, canonical as number)
  return ofHours(transform, Number(floorDivide(canonical as bigint, BigInt(MICROS_PER_HOUR))))
}

/** The type of a partition field's values; undefined when the transform does not apply to the type. */
export function resultType(transform: Transform, type: Primitive): Primitive | undefined {
  if (typeof transform === 'object') {
    if ('bucket' in transform) return isHashed(type) ? 'int' : undefined
    return isTruncated(type) ? type : undefined
  }
  if (transform === 'identity') return type
  if (type !== 'date' && type !== 'timestamp' && type !== 'timestampNtz') return undefined
  if (transform === 'day') return 'date'
  return transform === 'hour' && type === 'date' ? undefined : 'int'
}

/** As metadata of tables has it: `bucket[16]`. */
export function transformName(transform: Transform): string {
  if (typeof transform === 'string') return transform
  return 'bucket' in transform ? `bucket[${transform.bucket}]` : `truncate[${transform.truncate}]`
}

/** The reverse; undefined for a transform that we cannot compute. */
export function parseTransform(name: string): Transform | undefined {
  if (['identity', 'year', 'month', 'day', 'hour'].includes(name)) return name as Transform
  const [, kind, digits] = /^(bucket|truncate)\[\s*([1-9]\d{0,9})\s*\]$/.exec(name) ?? []
  const width = Number(digits)
  if (kind === undefined || width > 0x7fff_ffff) return undefined
  return kind === 'bucket' ? { bucket: width } : { truncate: width }
}

/** Two tuples of values are the same exactly when their texts are. */
export const tupleKey = (values: readonly (PartitionValue | undefined)[]): string => values.map(keyOf).join(',')

function keyOf(value: PartitionValue | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
  return Object.is(value, -0) ? '-0' : String(value)
}

/** Of one value one form, so that equal values are equal. */
function canonicalValue(type: Primitive, value: Exclude<SourceValue, null | undefined>): Exclude<PartitionValue, null> {
  if (typeof type === 'object') return 'decimal' in type ? BigInt(value as number | bigint) : bytesOf(value)
  switch (type) {
    case 'long':
    case 'timestamp':
    case 'timestampNtz':
    case 'time':
      return BigInt(value as number | bigint)
    case 'int':
    case 'date':
    case 'float':
    case 'double':
      return Number(value)
    case 'string':
      return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value)
    case 'uuid':
      return typeof value === 'string' ? Buffer.from(value.replaceAll('-', ''), 'hex') : bytesOf(value)
    case 'binary':
      return bytesOf(value)
    case 'boolean':
      return value
  }
}

function bytesOf(value: SourceValue): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  invariant(value instanceof Uint8Array, 'a column of bytes has bytes')
  return value
}

const isHashed = (type: Primitive): boolean =>
  typeof type === 'object' || (type !== 'float' && type !== 'double' && type !== 'boolean')

const isTruncated = (type: Primitive): boolean =>
  typeof type === 'object' ? 'decimal' in type : ['int', 'long', 'string', 'binary'].includes(type)

/** The bytes whose hash decides the bucket (Appendix B): whole numbers as 8 bytes, so that int and long agree. */
function hashed(type: Primitive, value: Exclude<PartitionValue, null>): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return value
  if (typeof type === 'object' && 'decimal' in type) return bigEndianBytes(BigInt(value))
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}

/** Two's complement in as few bytes as hold the value. */
export function bigEndianBytes(value: bigint): Buffer {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length++
  const digits = BigInt.asUintN(length * 8, value).toString(16)
  return Buffer.from(digits.padStart(length * 2, '0'), 'hex')
}

function truncated(value: Exclude<PartitionValue, null>, width: number): PartitionValue {
  if (typeof value === 'string') return firstCodePoints(value, width)
  if (value instanceof Uint8Array) return value.subarray(0, width)
  if (typeof value === 'number') return value - (((value % width) + width) % width)
  const wide = BigInt(width)
  const whole = BigInt(value)
  return whole - (((whole % wide) + wide) % wide)
}

/** At most so many code points of a text. */
export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text
  let end = 0
  for (let left = count; left > 0 && end < text.length; left--) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return text.slice(0, end)
}

type Calendar = 'year' | 'month' | 'day' | 'hour'

const isCalendar = (transform: Transform): transform is Calendar =>
  typeof transform === 'string' && transform !== 'identity'

const ofHours = (unit: Calendar, hours: number): number =>
  unit === 'hour' ? hours : ofDay(unit, Math.floor(hours / 24))

function ofDay(unit: Calendar, day: number): number {
  if (unit === 'day') return day
  const date = new Date(day * MS_PER_DAY)
  const years = date.getUTCFullYear() - 1970
  return unit === 'year' ? years : years * 12 + date.getUTCMonth()
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}
