import type { AvroType, Logical } from './type.ts'

/** The logical type that the attributes of a schema give to its base type; undefined when there is none that fits. */
export function logicalOf(base: AvroType, json: Readonly<Record<string, unknown>>): Logical | undefined {
  const { logicalType: name } = json
  if (typeof name !== 'string') return undefined
  switch (base.kind) {
    case 'int':
      return name === 'date' ? 'date' : name === 'time-millis' ? 'timeMillis' : undefined
    case 'long':
      return LONGS.get(name)
    case 'string':
      return name === 'uuid' ? 'uuid' : undefined
    case 'bytes':
      return name === 'decimal' ? decimalOf(json, Infinity) : undefined
    case 'fixed':
      if (name === 'uuid') return base.sizeBytes === 16 ? 'uuid' : undefined
      return name === 'decimal' ? decimalOf(json, mostDigits(base.sizeBytes)) : undefined
    case 'null':
    case 'boolean':
    case 'float':
    case 'double':
    case 'enum':
    case 'array':
    case 'map':
    case 'union':
    case 'record':
      return undefined
  }
}

const LONGS: ReadonlyMap<string, Logical> = new Map([
  ['time-micros', 'timeMicros'],
  ['timestamp-millis', 'timestampMillis'],
  ['timestamp-micros', 'timestampMicros'],
  ['timestamp-nanos', 'timestampNanos'],
  ['local-timestamp-millis', 'localTimestampMillis'],
  ['local-timestamp-micros', 'localTimestampMicros'],
  ['local-timestamp-nanos', 'localTimestampNanos']
])

/** Scale defaults to 0, and may not exceed precision. */
function decimalOf(json: Readonly<Record<string, unknown>>, most: number): Logical | undefined {
  const { precision, scale = 0 } = json
  if (!Number.isInteger(precision) || !Number.isInteger(scale)) return undefined
  const [digits, places] = [precision as number, scale as number]
  return digits >= 1 && digits <= most && places >= 0 && places <= digits
    ? { precision: digits, scale: places }
    : undefined
}

/** Decimal digits that any number of so many bytes in two's complement can have. */
const mostDigits = (bytes: number) => (bytes === 0 ? 0 : Math.floor(Math.log10(2) * (8 * bytes - 1)))
