import { SCHEMA_LIMITS, SchemaError } from '../schema-limits.ts'
import type { AvroRecord, AvroType, Logical, PrimitiveKind } from '../avro/type.ts'
import { MAX_PRECISION } from '../columns/decimal.ts'

/** How a value lies in the bytes, and what it is. Numbers, since a switch over them is fast. */
export const OP = {
  /** Null, and what can be nothing else: no column. */
  VOID: 0,
  BOOLEAN: 1,
  INT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  BYTES: 6,
  STRING: 7,
  FIXED: 8,
  ENUM: 9,
  UUID: 10,
  FIXED_UUID: 11,
  DECIMAL: 12,
  FIXED_DECIMAL: 13,
  DATE: 14,
  TIME_MILLIS: 15,
  TIME_MICROS: 16,
  TIMESTAMP_MILLIS: 17,
  TIMESTAMP_MICROS: 18,
  /** From here on values have parts. */
  ARRAY: 19,
  MAP: 20,
  RECORD: 21,
  UNION: 22,
  /** What columns cannot hold: text of JSON. */
  JSON: 23
} as const

/** A schema made ready for reading values of it; a union of null and one other type is folded into that type. */
export interface Plan {
  readonly op: number
  readonly type: AvroType
  /** Branches of the union that was folded; 0 when there was none. */
  readonly branches: number
  /** Which of them is null; -1 when none is. */
  readonly nullBranch: number
  /** FIXED and its like. */
  readonly sizeBytes: number
  /** Digits of a decimal. */
  readonly precision: number
  readonly scale: number
  /** ENUM: the texts of its symbols. */
  readonly symbols: readonly Buffer[]
  /** ARRAY: its items; MAP: its values; RECORD: its fields; UNION: its branches. */
  readonly parts: readonly Plan[]
  /** Of the parts of RECORD and UNION, the names of their columns; VOID ones have none. */
  readonly names: readonly string[]
  /** Of the parts of RECORD. */
  readonly comments: readonly (string | undefined)[]
}

/**
 * Makes a schema ready. What contains itself is JSON where it begins anew, records without fields are JSON as a whole.
 * SchemaError when it has more leaves than a table may have columns: named types can be used again and again.
 */
export const planOf = (type: AvroType): Plan => new Planner().plan(type)

export const isNullable = (plan: Plan): boolean => plan.nullBranch >= 0 || plan.op === OP.VOID

class Planner {
  #parts = 0
  readonly #above: AvroRecord[] = []

  plan(type: AvroType): Plan {
    if (++this.#parts > SCHEMA_LIMITS.types) throw new SchemaError('the schema has too many parts, its types unfolded')
    switch (type.kind) {
      case 'union':
        return this.#union(type, type.branches)
      case 'array':
        return this.#container(OP.ARRAY, type, type.items)
      case 'map':
        return this.#container(OP.MAP, type, type.values)
      case 'record':
        return this.#record(type)
      case 'enum':
        return { ...plainPlan(OP.ENUM, type), symbols: type.symbols.map(symbol => Buffer.from(symbol)) }
      case 'fixed':
        return { ...plainPlan(fixedOp(type.logical), type), ...digitsOf(type.logical), sizeBytes: type.sizeBytes }
      case 'null':
      case 'boolean':
      case 'int':
      case 'long':
      case 'float':
      case 'double':
      case 'bytes':
      case 'string':
        return { ...plainPlan(primitiveOp(type.kind, type.logical), type), ...digitsOf(type.logical) }
    }
  }

  #container(op: number, type: AvroType, part: AvroType): Plan {
    const inner = this.plan(part)
    return inner.op === OP.VOID ? plainPlan(OP.JSON, type) : { ...plainPlan(op, type), parts: [inner] }
  }

  #record(type: AvroRecord): Plan {
    if (this.#above.includes(type)) return plainPlan(OP.JSON, type)
    this.#above.push(type)
    const parts = type.fields.map(field => this.plan(field.type))
    this.#above.pop()
    if (this.#above.length > 0 && parts.every(({ op }) => op === OP.VOID)) return plainPlan(OP.JSON, type)
    const names = type.fields.map(({ name }) => name)
    return { ...plainPlan(OP.RECORD, type), parts, names, comments: type.fields.map(({ doc }) => doc) }
  }

  #union(type: AvroType, branches: readonly AvroType[]): Plan {
    const nullBranch = branches.findIndex(({ kind }) => kind === 'null')
    const others = branches.filter(({ kind }) => kind !== 'null')
    const [only] = others
    if (only === undefined) return { ...plainPlan(OP.VOID, type), branches: branches.length, nullBranch }
    if (others.length === 1) return { ...this.plan(only), branches: branches.length, nullBranch }
    const parts = branches.map(branch => this.plan(branch))
    return { ...plainPlan(OP.UNION, type), nullBranch, parts, names: branchNames(branches) }
  }
}

/** The plan of a type without anything within it. */
export const plainPlan = (op: number, type: AvroType): Plan => ({
  op,
  type,
  branches: 0,
  nullBranch: -1,
  sizeBytes: 0,
  precision: 0,
  scale: 0,
  symbols: [],
  parts: [],
  names: [],
  comments: []
})

/** The names of the types, those of named ones without namespace unless two would be the same to a table, which ignores case. */
function branchNames(branches: readonly AvroType[]): readonly string[] {
  const full = branches.map(branch => ('name' in branch ? branch.name : branch.kind))
  const short = full.map(name => name.slice(name.lastIndexOf('.') + 1))
  const isTwice = (name: string, names: readonly string[]) =>
    names.filter(each => each.toLowerCase() === name.toLowerCase()).length > 1
  const told = short.map((name, index) => (isTwice(name, short) ? (full[index] ?? name).replaceAll('.', '_') : name))
  return told.map((name, index) => (isTwice(name, told) ? `${name}_${index}` : name))
}

function primitiveOp(kind: PrimitiveKind, logical: Logical | undefined): number {
  if (typeof logical === 'object') return logical.precision <= MAX_PRECISION ? OP.DECIMAL : OP.BYTES
  return logical === undefined ? PRIMITIVES[kind] : LOGICALS[logical]
}

/** Decimals with more digits than columns can hold are bytes. */
function fixedOp(logical: Logical | undefined): number {
  if (logical === 'uuid') return OP.FIXED_UUID
  return typeof logical === 'object' && logical.precision <= MAX_PRECISION ? OP.FIXED_DECIMAL : OP.FIXED
}

const digitsOf = (logical: Logical | undefined) => (typeof logical === 'object' ? logical : {})

const PRIMITIVES: Readonly<Record<PrimitiveKind, number>> = {
  null: OP.VOID,
  boolean: OP.BOOLEAN,
  int: OP.INT,
  long: OP.LONG,
  float: OP.FLOAT,
  double: OP.DOUBLE,
  bytes: OP.BYTES,
  string: OP.STRING
}

/** Nanoseconds are kept as whole numbers: columns of time have microseconds. */
const LOGICALS: Readonly<Record<Extract<Logical, string>, number>> = {
  date: OP.DATE,
  timeMillis: OP.TIME_MILLIS,
  timeMicros: OP.TIME_MICROS,
  timestampMillis: OP.TIMESTAMP_MILLIS,
  timestampMicros: OP.TIMESTAMP_MICROS,
  timestampNanos: OP.LONG,
  localTimestampMillis: OP.TIMESTAMP_MILLIS,
  localTimestampMicros: OP.TIMESTAMP_MICROS,
  localTimestampNanos: OP.LONG,
  uuid: OP.UUID
}
