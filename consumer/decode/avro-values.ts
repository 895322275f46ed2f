import { formatDecimal, unscaledOf } from '../columns/decimal.ts'
import { OP, type Plan } from './avro-plan.ts'
import type { AvroScanner } from './avro-scanner.ts'

/**
 * The value that the scanner has read (`read` was true), with all its parts, for rules: booleans, ints, floats and
 * doubles as they are; longs, and times in microseconds, as bigints; dates and timestamps as Dates; text for strings,
 * enums and UUIDs; numbers for decimals, as near as they come; Buffers (copies); arrays, Maps, objects. Parts that are
 * null are null.
 */
export function plainValue(from: AvroScanner, plan: Plan): unknown {
  const { bytes, start, length, number } = from
  switch (plan.op) {
    case OP.BOOLEAN:
      return number === 1
    case OP.INT:
    case OP.FLOAT:
    case OP.DOUBLE:
      return number
    case OP.LONG:
    case OP.TIME_MILLIS:
    case OP.TIME_MICROS:
      return from.big ?? BigInt(number)
    case OP.DATE:
      return new Date(number * 86_400_000)
    case OP.TIMESTAMP_MILLIS:
    case OP.TIMESTAMP_MICROS:
      return new Date(Math.floor(Number(from.big ?? number) / 1000))
    case OP.STRING:
    case OP.UUID:
      return bytes.toString('utf8', start, start + length)
    case OP.ENUM:
      return String(plan.symbols[number])
    case OP.BYTES:
    case OP.FIXED:
      return Buffer.from(bytes.subarray(start, start + length))
    case OP.FIXED_UUID:
      return uuidText(bytes, start)
    case OP.DECIMAL:
    case OP.FIXED_DECIMAL:
      return Number(formatDecimal(unscaledOf(bytes, start, length), plan.scale))
    case OP.JSON:
      return jsonText(from.json(plan))
    case OP.VOID:
      return null
    default:
      return plainParts(from, plan)
  }
}

function plainParts(from: AvroScanner, plan: Plan): unknown {
  const [item] = plan.parts as readonly [Plan]
  switch (plan.op) {
    case OP.ARRAY: {
      const items: unknown[] = []
      for (let count = from.block(); count > 0; count = from.block())
        for (; count > 0; count--) items.push(next(from, item))
      return items
    }
    case OP.MAP: {
      const entries = new Map<string, unknown>()
      for (let count = from.block(); count > 0; count = from.block())
        for (; count > 0; count--) {
          from.text()
          const key = from.bytes.toString('utf8', from.start, from.start + from.length)
          entries.set(key, next(from, item))
        }
      return entries
    }
    default: {
      const branch = plan.op === OP.UNION ? from.number : undefined
      const values = plan.parts.map((part, index) =>
        branch === undefined || branch === index ? next(from, part) : null
      )
      // Not by assignment: a name could be that of the prototype.
      return Object.fromEntries(
        plan.names.flatMap((name, index) => (plan.parts[index]?.op === OP.VOID ? [] : [[name, values[index]]]))
      )
    }
  }
}

const next = (from: AvroScanner, plan: Plan): unknown => (from.read(plan) ? plainValue(from, plan) : null)

/** RFC 9562: 8-4-4-4-12 hexadecimal digits. */
export function uuidText(bytes: Buffer, start: number): string {
  const hex = bytes.toString('hex', start, start + 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/**
 * JSON of what `valueReader` gives: whole numbers with all their digits, bytes in base64, NaN and the infinities as
 * text, logical types as their base types.
 */
export function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value)
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`).join(',')}}`
}
