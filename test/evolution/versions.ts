import { isNested, type ColumnType, type Field } from '../../consumer/columns/schema.ts'
import { folded } from '../../consumer/columns/evolve.ts'

type Random = () => number

/** What a producer may do to its schema from one version to the next. */
export interface Habits {
  /** Likelihood that a step changes a field to what its column cannot take. */
  readonly conflicts: number
}

const NAMES = ['id', 'amount', 'at', 'items', 'note', 'place', 'tags', 'who', 'x', 'y']
const PRIMITIVES = ['string', 'binary', 'int', 'long', 'float', 'double', 'boolean'] as const
const TIMES = ['timestamp', 'timestampNtz', 'time', 'date', 'uuid'] as const

/** The schemas of a producer's values; each step makes one from an earlier one. */
export class Versions {
  readonly #random: Random
  readonly #habits: Habits
  readonly all: (readonly Field[])[]
  /** The type that each field was first given, by folded name: without a conflict it comes back as it was. */
  readonly #usual = new Map<string, ColumnType>()
  #next = 0

  constructor(random: Random, habits: Habits) {
    this.#random = random
    this.#habits = habits
    this.all = [[{ name: 'id', type: 'int', nullable: false }]]
  }

  /** Mostly from the newest version. */
  step(): readonly Field[] {
    const from = this.#random() < 0.85 ? this.all.length - 1 : this.#whole(this.all.length)
    const next = this.#changed(this.all[from] ?? [], 2)
    this.all.push(next)
    return next
  }

  #changed(fields: readonly Field[], depth: number): readonly Field[] {
    const roll = this.#random()
    const at = this.#whole(fields.length)
    const field = fields[at]
    if (field === undefined || roll < 0.3) return this.#added(fields, depth)
    const replaced = (next: Field) => fields.map((each, index) => (index === at ? next : each))
    if (roll < 0.42) return fields.length > 1 ? fields.filter(each => each !== field) : fields
    if (roll < 0.5) return replaced({ ...field, nullable: !field.nullable })
    if (roll < 0.53 && depth === 2) return replaced({ ...field, name: recased(field.name) })
    if (roll < 0.53 + this.#habits.conflicts) return replaced({ ...field, type: this.#type(depth) })
    return replaced({ ...field, type: this.#within(field.type, depth) })
  }

  #added(fields: readonly Field[], depth: number): readonly Field[] {
    if (fields.length >= 14) return fields
    const isOdd = this.#random() < this.#habits.conflicts / 2
    const name = isOdd ? '_Kafka_Offset' : this.#random() < 0.6 ? this.#pick(NAMES) : `n${this.#next++}`
    if (fields.some(each => folded(each.name) === folded(name))) return fields
    let type = this.#usual.get(folded(name))
    if (type === undefined) this.#usual.set(folded(name), (type = this.#type(depth)))
    return [...fields, { name, type, nullable: this.#random() < 0.6 }]
  }

  /** Another width, or a change further in. */
  #within(type: ColumnType, depth: number): ColumnType {
    if (!isNested(type)) return otherWidth(type, this.#random())
    if ('struct' in type) return { struct: this.#changed(type.struct, depth - 1) }
    if ('list' in type) {
      const elementNullable = this.#random() < 0.2 ? !type.elementNullable : type.elementNullable
      return { list: this.#within(type.list, depth), elementNullable }
    }
    return { map: { ...type.map, value: this.#within(type.map.value, depth) } }
  }

  #type(depth: number): ColumnType {
    const kind = this.#random()
    if (depth > 0 && kind < 0.16) return { struct: this.#added([], depth - 1) }
    if (depth > 0 && kind < 0.26) return { list: this.#type(depth - 1), elementNullable: this.#random() < 0.5 }
    if (depth > 0 && kind < 0.32)
      return { map: { key: 'string', value: this.#type(depth - 1), valueNullable: this.#random() < 0.5 } }
    if (kind < 0.42) return { decimal: { precision: 4 + this.#whole(8), scale: this.#whole(4) } }
    if (kind < 0.46) return { fixed: 1 + this.#whole(8) }
    return kind < 0.66 ? this.#pick(TIMES) : this.#pick(PRIMITIVES)
  }

  #whole(below: number): number {
    return Math.floor(this.#random() * below)
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#whole(values.length)] as T
  }
}

const recased = (name: string): string => (name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase())

function otherWidth(type: ColumnType, chance: number): ColumnType {
  if (type === 'int' || type === 'long') return chance < 0.7 ? 'long' : 'int'
  if (type === 'float' || type === 'double') return chance < 0.7 ? 'double' : 'float'
  if (typeof type !== 'object' || !('decimal' in type)) return type
  const { precision, scale } = type.decimal
  return {
    decimal: { precision: chance < 0.7 ? Math.min(38, precision + 3) : Math.max(scale + 1, precision - 1), scale }
  }
}

/** A schema as Avro has it. Names of records are unique, as Avro wants them. */
export function avroSchema(fields: readonly Field[]): object {
  let records = 0
  const record = (parts: readonly Field[]): object => ({
    type: 'record',
    name: `R${records++}`,
    fields: parts.map(({ name, type, nullable }) => ({ name, type: union(type, nullable) }))
  })
  const union = (type: ColumnType, nullable: boolean): unknown => (nullable ? ['null', avro(type)] : avro(type))
  const avro = (type: ColumnType): unknown => {
    if (typeof type === 'string') return AVRO[type]
    if ('decimal' in type) return { type: 'bytes', logicalType: 'decimal', ...type.decimal }
    if ('fixed' in type) return { type: 'fixed', name: `F${records++}`, size: type.fixed }
    if ('struct' in type) return record(type.struct)
    if ('list' in type) return { type: 'array', items: union(type.list, type.elementNullable) }
    return { type: 'map', values: union(type.map.value, type.map.valueNullable) }
  }
  return record(fields)
}

const AVRO: Readonly<Record<Extract<ColumnType, string>, unknown>> = {
  string: 'string',
  binary: 'bytes',
  int: 'int',
  long: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  timestamp: { type: 'long', logicalType: 'timestamp-micros' },
  timestampNtz: { type: 'long', logicalType: 'local-timestamp-micros' },
  time: { type: 'long', logicalType: 'time-micros' },
  date: { type: 'int', logicalType: 'date' },
  uuid: { type: 'string', logicalType: 'uuid' }
}

/** A value as Avro's base types have it: decimals are bytes. */
export function avroValue(type: ColumnType, value: unknown): unknown {
  if (value === null || typeof type === 'string' || 'fixed' in type) return value
  if ('decimal' in type) {
    const bytes = Buffer.alloc(17)
    let rest = value as bigint
    for (let index = 16; index >= 0; index--) {
      bytes[index] = Number(rest & 0xffn)
      rest >>= 8n
    }
    return bytes
  }
  if ('struct' in type) {
    const parts = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(type.struct.map(field => [field.name, avroValue(field.type, parts[field.name])]))
  }
  if ('list' in type) return (value as readonly unknown[]).map(item => avroValue(type.list, item))
  const entries = [...(value as ReadonlyMap<string, unknown>)]
  return new Map(entries.map(([key, item]) => [key, avroValue(type.map.value, item)]))
}
