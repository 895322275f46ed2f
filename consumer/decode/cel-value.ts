import type { LiftedColumn, LiftedType } from '../../crds/settled.ts'
import type { ColumnType, Field } from '../columns/schema.ts'
import { HELD, type Lifted } from './lift.ts'

/** Elements of lists and maps in one value that rules look at; they loop over them. */
export const MAX_ELEMENTS = 1000

const DAY_MS = 86_400_000

/** A lifted value as rules take it. */
export function liftedValue(
  { type, scale = 0 }: Pick<LiftedColumn, 'type' | 'scale'>,
  lifted: Lifted,
  record: Buffer
): unknown {
  switch (lifted.held) {
    case HELD.BYTES:
      return record.toString('utf8', lifted.start, lifted.start + lifted.length)
    case HELD.OWN_BYTES:
      return lifted.bytes.toString('utf8')
    case HELD.BOOLEAN:
      return lifted.number === 1
    case HELD.NUMBER:
      return liftedNumber(type, lifted.number, scale)
    case HELD.BIG:
      return type === 'Long' ? lifted.big : liftedNumber(type, Number(lifted.big), scale)
    default:
      return null
  }
}

function liftedNumber(type: LiftedType, number: number, scale: number): unknown {
  if (type === 'Int' || type === 'Long') return BigInt(number)
  if (type === 'Timestamp') return new Date(Math.floor(number / 1000))
  if (type === 'Date') return new Date(number * DAY_MS)
  return type === 'Decimal' ? decimal(number, scale) : number
}

/** Division by a power of ten that a double holds exactly gives the nearest double. */
const decimal = (unscaled: number, scale: number): number =>
  scale <= 22 ? unscaled / 10 ** scale : Number(`${unscaled}e-${scale}`)

/** The value of a field as rules take it; undefined when it has too many elements. */
export function fieldValue(type: ColumnType | undefined, value: unknown): unknown {
  const budget = { elements: MAX_ELEMENTS }
  const converted = convert(type, value, budget)
  return budget.elements < 0 ? undefined : converted
}

interface Budget {
  elements: number
}

function convert(type: ColumnType | undefined, value: unknown, budget: Budget): unknown {
  if (value === undefined || value === null) return null
  if (type === 'int' || type === 'long' || type === 'time') return typeof value === 'number' ? BigInt(value) : value
  if (type === 'timestamp' || type === 'timestampNtz') {
    return value instanceof Date ? value : new Date(Math.floor(Number(value) / 1000))
  }
  if (type === 'date') return typeof value === 'number' ? new Date(value * DAY_MS) : value
  if (typeof type !== 'object') return value
  if ('decimal' in type) return Number(value)
  if ('list' in type) return list(type.list, value, budget)
  if ('struct' in type) return struct(type.struct, value, budget)
  return 'map' in type ? map(type.map.value, value, budget) : value
}

function list(element: ColumnType, value: unknown, budget: Budget): unknown {
  if (!Array.isArray(value)) return value
  budget.elements -= value.length
  return budget.elements < 0 ? null : value.map(each => convert(element, each, budget))
}

function map(type: ColumnType, value: unknown, budget: Budget): unknown {
  if (value === null || typeof value !== 'object') return value
  const entries = value instanceof Map ? [...(value as ReadonlyMap<string, unknown>)] : Object.entries(value)
  budget.elements -= entries.length
  return budget.elements < 0 ? null : new Map(entries.map(([key, each]) => [key, convert(type, each, budget)]))
}

/** Absent fields stay absent: `has()` asks for them. */
function struct(fields: readonly Field[], value: unknown, budget: Budget): unknown {
  if (value === null || typeof value !== 'object') return value
  // Without a prototype: `__proto__` is a name like any other.
  const converted = Object.create(null) as Record<string, unknown>
  for (const { name, type } of fields) {
    const field = (value as Readonly<Record<string, unknown>>)[name]
    if (field !== undefined) converted[name] = convert(type, field, budget)
  }
  return converted
}
