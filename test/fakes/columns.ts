import type { ColumnType, Field, TableSchema } from '../../consumer/columns/schema.ts'

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

const PRIMITIVES = ['string', 'binary', 'int', 'long', 'float', 'double', 'boolean', 'timestamp', 'date'] as const

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
  return PRIMITIVES[Math.floor(random() * PRIMITIVES.length)] ?? 'int'
}

function randomValue(type: ColumnType, nullable: boolean, random: Random): unknown {
  if (nullable && random() < 0.3) return null
  if (typeof type === 'string') return randomPrimitive(type, random)
  if ('struct' in type) return randomRow({ fields: type.struct, partitionBy: [] }, random)
  const size = random() < 0.3 ? 0 : Math.floor(random() * 4)
  if ('list' in type) return Array.from({ length: size }, () => randomValue(type.list, type.elementNullable, random))
  const { value, valueNullable } = type.map
  return new Map(Array.from({ length: size }, (_, index) => [`k${index}`, randomValue(value, valueNullable, random)]))
}

function randomPrimitive(type: (typeof PRIMITIVES)[number], random: Random): unknown {
  const whole = (range: number) => Math.floor((random() - 0.5) * range)
  switch (type) {
    case 'string':
      return random() < 0.1 ? 'ü€'.repeat(whole(400) + 200) : `text ${whole(1000)}`
    case 'binary':
      return Buffer.from(Array.from({ length: Math.floor(random() * 40) }, () => whole(256) + 128))
    case 'int':
      return whole(2 ** 32)
    case 'date':
      return whole(40_000)
    case 'long':
      return random() < 0.1 ? BigInt(whole(2 ** 53)) * 1000n : random() < 0.5 ? whole(2 ** 53) : whole(100)
    case 'timestamp':
      return 1_700_000_000_000_000 + whole(2 ** 40) * 1000
    case 'float':
      return Math.fround(whole(1e6) / 8)
    case 'double':
      return random() * 1e9
    case 'boolean':
      return random() < 0.5
  }
}

function readValue(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof type === 'string') return readPrimitive(type, value)
  if ('struct' in type) return asRead({ fields: type.struct, partitionBy: [] }, value as Record<string, unknown>)
  if ('list' in type) return (value as unknown[]).map(item => readValue(type.list, item))
  const entries = [...(value as Map<string, unknown>)]
  return Object.fromEntries(entries.map(([key, item]) => [key, readValue(type.map.value, item)]))
}

function readPrimitive(type: (typeof PRIMITIVES)[number], value: unknown): unknown {
  switch (type) {
    case 'binary':
      return new Uint8Array(value as Buffer)
    case 'long':
      return BigInt(value as number)
    case 'timestamp':
      return new Date((value as number) / 1000)
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
