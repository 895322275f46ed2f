import { formatDecimal, unscaledOf } from '../columns/decimal.ts'
import { OP, type Plan } from './avro-plan.ts'
import type { AvroScanner } from './avro-scanner.ts'
import { jsonText, uuidText } from './avro-values.ts'
import { dateJson, timeJson, timestampJson } from './time-json.ts'

/**
 * The value that the scanner has read (`read` was true), with all its parts, as JSON text, spelled as lines of NDJSON spell the same
 * types: numbers with all their digits, times as ISO 8601, bytes in base64, NaN and the infinities as text. Of a union with more
 * than one type besides null the value is an object with one member, named after its type.
 */
export function avroJson(from: AvroScanner, plan: Plan): string {
  const { bytes, start, length, number } = from
  switch (plan.op) {
    case OP.BOOLEAN:
      return String(number === 1)
    case OP.INT:
    case OP.FLOAT:
    case OP.DOUBLE:
      return jsonText(number)
    case OP.LONG:
      return String(from.big ?? number)
    case OP.TIME_MILLIS:
    case OP.TIME_MICROS:
      return timeJson(number)
    case OP.DATE:
      return dateJson(number)
    case OP.TIMESTAMP_MILLIS:
    case OP.TIMESTAMP_MICROS:
      return timestampJson(from.big ?? number, !isLocal(plan))
    case OP.STRING:
    case OP.UUID:
      return JSON.stringify(bytes.toString('utf8', start, start + length))
    case OP.ENUM:
      return JSON.stringify(String(plan.symbols[number]))
    case OP.BYTES:
    case OP.FIXED:
      return `"${bytes.toString('base64', start, start + length)}"`
    case OP.FIXED_UUID:
      return `"${uuidText(bytes, start)}"`
    case OP.DECIMAL:
    case OP.FIXED_DECIMAL:
      return formatDecimal(unscaledOf(bytes, start, length), plan.scale)
    case OP.JSON:
      return jsonText(from.json(plan))
    case OP.VOID:
      return 'null'
    default:
      return partsJson(from, plan)
  }
}

function partsJson(from: AvroScanner, plan: Plan): string {
  const [item] = plan.parts as readonly [Plan]
  switch (plan.op) {
    case OP.ARRAY:
      return `[${items(from, () => next(from, item)).join(',')}]`
    case OP.MAP:
      return `{${items(from, () => {
        from.text()
        const key = JSON.stringify(from.bytes.toString('utf8', from.start, from.start + from.length))
        return `${key}:${next(from, item)}`
      }).join(',')}}`
    case OP.UNION: {
      const branch = from.number
      return `{${JSON.stringify(plan.names[branch])}:${next(from, plan.parts[branch] as Plan)}}`
    }
    default: {
      const members = plan.parts.map((part, index) => `${JSON.stringify(plan.names[index])}:${next(from, part)}`)
      return `{${members.join(',')}}`
    }
  }
}

function items(from: AvroScanner, one: () => string): readonly string[] {
  const found: string[] = []
  for (let count = from.block(); count > 0; count = from.block()) for (; count > 0; count--) found.push(one())
  return found
}

const next = (from: AvroScanner, plan: Plan): string => (from.read(plan) ? avroJson(from, plan) : 'null')

function isLocal({ type }: Plan): boolean {
  const logical = 'logical' in type ? type.logical : undefined
  return logical === 'localTimestampMillis' || logical === 'localTimestampMicros'
}
