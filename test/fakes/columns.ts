import {
  isNested,
  type ColumnType,
  type Field,
  type Primitive,
  type TableSchema
} from '../../consumer/columns/schema.ts'

type Random = () => number

/** A schema of up to six fields, nested up to three levels deep. */
export function randomSchema(random: Random): TableSchema {
  const fields = Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index) => randomField(`f${index}`, random, 3))
  return { fields, partitionBy: [] }
}

/** A row as `appendRow` takes it. */
export function randomRow({ fields }: TableSchema, random: Random): Record<string, unknown> {
  return Object.fromEntries(fields.map(({ name, type, nullable }) => [name, randomValue(type, nullable, random)]))
}

/** A row as the reader of `rowsOf` gives it. */
export function asRead({ fields }: TableSchema, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(fields.map(({ name, type }) => [name, readValue(type, row[name])]))
}

const PRIMITIVES = [
  'string',
  'binary',
  'int',
  'long',
  'float',
  'double',
  'boolean',
  'timestamp',
  'timestampNtz',
  'time',
  'date',
  'uuid',
  'decimal',
  'fixed'
] as const

function randomField(name: string, random: Random, depth: number): Field {
  return { name, type: randomType(random, depth), nullable: random() < 0.6 }
}

function randomType(random: Random, depth: number): ColumnType {
  const kind = depth > 0 ? random() : 1
  if (kind < 0.12) {
    return { struct: [0, 1].map(index => randomField(`s${index}`, random, depth - 1)) }
  }
  if (kind < 0.24) return { list: randomType(random, depth - 1), elementNullable: random() < 0.5 }
  if (kind < 0.32)
    return { map: { key: 'string', value: randomType(random, depth - 1), valueNullable: random() < 0.5 } }
  const found = PRIMITIVES[Math.floor(random() * PRIMITIVES.length)] ?? 'int'
  if (found === 'fixed') return { fixed: 1 + Math.floor(random() * 20) }
  if (found !== 'decimal') return found
  const precision = 1 + Math.floor(random() * 38)
  return { decimal: { precision, scale: Math.floor(random() * (precision + 1)) } }
}

function randomValue(type: ColumnType, nullable: boolean, random: Random): unknown {
  if (nullable && random() < 0.3) return null
  if (!isNested(type)) return randomPrimitive(type, random)
  if ('struct' in type) return randomRow({ fields: type.struct, partitionBy: [] }, random)
  const size = random() < 0.3 ? 0 : Math.floor(random() * 4)
  if ('list' in type) return Array.from({ length: size }, () => randomValue(type.list, type.elementNullable, random))
  const { value, valueNullable } = type.map
  return new Map(Array.from({ length: size }, (_, index) => [`k${index}`, randomValue(value, valueNullable, random)]))
}

function randomPrimitive(type: Primitive, random: Random): unknown {
  const whole = (range: number) => Math.floor((random() - 0.5) * range)
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => whole(256) + 128))
  if (typeof type === 'object')
    return 'fixed' in type ? bytes(type.fixed) : randomDecimal(type.decimal.precision, random)
  switch (type) {
    case 'string':
      return random() < 0.1 ? 'ü€'.repeat(whole(400) + 200) : `text ${whole(1000)}`
    case 'binary':
      return bytes(Math.floor(random() * 40))
    case 'int':
      return whole(2 ** 32)
    case 'date':
      return whole(40_000)
    case 'long':
      return random() < 0.1 ? BigInt(whole(2 ** 53)) * 1000n : random() < 0.5 ? whole(2 ** 53) : whole(100)
    case 'timestamp':
    case 'timestampNtz':
      return 1_700_000_000_000_000 + whole(2 ** 40) * 1000
    case 'time':
      return Math.floor(random() * 86_400_000_000)
    case 'uuid':
      return random() < 0.5 ? bytes(16) : uuidText(bytes(16))
    case 'float':
      return Math.fround(whole(1e6) / 8)
    case 'double':
      return random() * 1e9
    case 'boolean':
      return random() < 0.5
  }
}

/** Of up to so many digits, either sign. */
function randomDecimal(precision: number, random: Random): bigint {
  const digits = Array.from({ length: Math.ceil(random() * precision) }, () => Math.floor(random() * 10)).join('')
  return BigInt(digits) * (random() < 0.5 ? -1n : 1n)
}

const uuidText = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

function readValue(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (!isNested(type)) return readPrimitive(type, value)
  if ('struct' in type) return asRead({ fields: type.struct, partitionBy: [] }, value as Record<string, unknown>)
  if ('list' in type) return (value as unknown[]).map(item => readValue(type.list, item))
  const entries = [...(value as Map<string, unknown>)]
  return Object.fromEntries(entries.map(([key, item]) => [key, readValue(type.map.value, item)]))
}

function readPrimitive(type: Primitive, value: unknown): unknown {
  if (typeof type === 'object') {
    // The reader gives decimals as doubles; that none loses a digit is asked of another one.
    return 'fixed' in type ? new Uint8Array(value as Buffer) : Number(value) * 10 ** -type.decimal.scale
  }
  switch (type) {
    case 'binary':
      return new Uint8Array(value as Buffer)
    case 'long':
    case 'time':
      return BigInt(value as number)
    case 'uuid':
      return typeof value === 'string' ? value : uuidText(value as Buffer)
    case 'timestamp':
    case 'timestampNtz':
      return new Date(typeof value === 'bigint' ? Number(value / 1000n) : (value as number) / 1000)
    case 'date':
      return new Date((value as number) * 86_400_000)
    case 'string':
    case 'int':
    case 'float':
    case 'double':
    case 'boolean':
      return value
  }
}

/** Every field into the column of its name. */
export const bindAll = (fields: readonly { readonly name: string }[]) =>
  fields.map(({ name }) => ({ source: name, target: name }))
