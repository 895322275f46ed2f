import { SCHEMA_LIMITS, SchemaError } from '../schema-limits.ts'
import { fieldsIn, type Dialect } from '../columns/dialect.ts'
import type { ColumnType, Field } from '../columns/schema.ts'
import type { ProtoField, ProtoMessage, ProtoType, ScalarKind } from '../protobuf/type.ts'

/** A table has no more columns, and so a message none for more. */
const MAX_COLUMNS = 1000

/** How a value lies in the bytes (protobuf.dev, "Encoding"). */
export const WIRE = { VARINT: 0, FIXED64: 1, BYTES: 2, GROUP: 3, END_GROUP: 4, FIXED32: 5 } as const

/** What a value is. */
export type Kind = ScalarKind | 'enum' | 'message' | 'timestamp' | 'wrapper' | 'json'

/** A message made ready for reading. Its values are arrays, by the index of the field; undefined for what is not set. */
export interface MessagePlan {
  readonly name: string
  readonly fields: readonly FieldPlan[]
  readonly byNumber: ReadonlyMap<number, FieldPlan>
}

export interface FieldPlan {
  /** Among the fields of its message. */
  readonly index: number
  readonly name: string
  readonly number: number
  readonly doc: string | undefined
  readonly label: ProtoField['label']
  readonly value: ValuePlan
  /** Of map. */
  readonly key: ValuePlan | undefined
  /** The other fields of its oneof. */
  readonly peers: readonly number[]
}

export interface ValuePlan {
  readonly kind: Kind
  readonly wire: number
  readonly type: ColumnType
  readonly symbols: ReadonlyMap<number, string>
  /** Of message, timestamp, wrapper and json. */
  readonly message: MessagePlan | undefined
}

/** SchemaError when no table can hold the message, or it uses what we do not read. */
export const planOf = (message: ProtoMessage): MessagePlan => new Planner().top(message)

/** The columns of a message; SchemaError when they are too many. */
export function fieldsOf(plan: MessagePlan, dialect: Dialect): readonly Field[] {
  const columns = plan.fields.reduce((sum, field) => sum + leaves(fieldType(field)), 0)
  if (columns > MAX_COLUMNS) throw new SchemaError(`the schema has ${columns} columns, a table ${MAX_COLUMNS} at most`)
  return fieldsIn(dialect, structFields(plan))
}

const structFields = (plan: MessagePlan): readonly Field[] =>
  plan.fields.map(field => ({
    name: field.name,
    type: fieldType(field),
    nullable: field.label === 'explicit',
    ...(field.value.kind === 'json' && field.key === undefined && field.label !== 'repeated'
      ? { isJson: true as const }
      : {}),
    ...(field.doc === undefined ? {} : { comment: field.doc })
  }))

function fieldType({ label, value, key }: FieldPlan): ColumnType {
  const type = valueType(value)
  if (label === 'repeated') return { list: type, elementNullable: false }
  return key === undefined ? type : { map: { key: key.type, value: type, valueNullable: false } }
}

const valueType = ({ kind, type, message }: ValuePlan): ColumnType =>
  kind === 'message' && message !== undefined ? { struct: structFields(message) } : type

function leaves(type: ColumnType): number {
  if (typeof type === 'string' || 'decimal' in type || 'fixed' in type) return 1
  if ('struct' in type) return type.struct.reduce((sum, field) => sum + leaves(field.type), 0)
  return 'list' in type ? leaves(type.list) : 1 + leaves(type.map.value)
}

class Planner {
  #parts = 0
  readonly #above: ProtoMessage[] = []
  /** What is read into text of JSON: there messages may contain themselves. */
  readonly #whole = new Map<ProtoMessage, MessagePlan>()

  top(message: ProtoMessage): MessagePlan {
    this.#above.push(message)
    const plan = this.#message(message, type => this.#value(type))
    this.#above.pop()
    return plan
  }

  #message(message: ProtoMessage, valueOf: (type: ProtoType) => ValuePlan): MessagePlan {
    const { name, fields } = message
    if (fields.length > SCHEMA_LIMITS.fields)
      throw new SchemaError(`${name} has more than ${SCHEMA_LIMITS.fields} fields`)
    const planned: FieldPlan[] = []
    const plan = { name, fields: planned, byNumber: new Map<number, FieldPlan>() }
    if (valueOf === this.#wholeValue) this.#whole.set(message, plan)
    for (const [index, field] of fields.entries()) {
      if (field.isGroup) throw new SchemaError(`${name}.${field.name} is a group, and these are not read`)
      const peers = fields.flatMap((each, peer) =>
        field.oneof !== undefined && each.oneof === field.oneof && peer !== index ? [peer] : []
      )
      const { name: own, number, doc, label, type, key } = field
      const keyPlan = key === undefined ? undefined : scalar(key)
      planned.push({ index, name: own, number, doc, label, value: valueOf(type), key: keyPlan, peers })
    }
    for (const field of planned) plan.byNumber.set(field.number, field)
    return plan
  }

  #value(type: ProtoType): ValuePlan {
    if (++this.#parts > SCHEMA_LIMITS.types) throw new SchemaError('the schema has too many parts, its types unfolded')
    if (typeof type === 'string') return scalar(type)
    if (type.kind === 'enum') return { ...plain('enum', WIRE.VARINT, 'string'), symbols: type.symbols }
    const { name } = type
    const isJson = JSON_TYPES.has(name) || type.fields.length === 0 || this.#isTooDeep(type)
    if (isJson || name === 'google.protobuf.Timestamp') {
      const message = this.#wholeMessage(type)
      return isJson ? { ...plain('json', WIRE.BYTES, 'string'), message } : { ...TIMESTAMP, message }
    }
    const wrapped = WRAPPERS.has(name) ? type.fields[0]?.type : undefined
    if (typeof wrapped === 'string')
      return { ...plain('wrapper', WIRE.BYTES, TYPES[wrapped]), message: this.#wholeMessage(type) }
    this.#above.push(type)
    const message = this.#message(type, inner => this.#value(inner))
    this.#above.pop()
    return { ...plain('message', WIRE.BYTES, 'string'), message }
  }

  #isTooDeep(type: ProtoMessage): boolean {
    return this.#above.includes(type) || this.#above.length > SCHEMA_LIMITS.depth
  }

  readonly #wholeValue = (type: ProtoType): ValuePlan => {
    if (typeof type === 'string') return scalar(type)
    if (type.kind === 'enum') return { ...plain('enum', WIRE.VARINT, 'string'), symbols: type.symbols }
    return { ...plain('message', WIRE.BYTES, 'string'), message: this.#wholeMessage(type) }
  }

  #wholeMessage(message: ProtoMessage): MessagePlan {
    return this.#whole.get(message) ?? this.#message(message, this.#wholeValue)
  }
}

const plain = (kind: Kind, wire: number, type: ColumnType): ValuePlan => ({
  kind,
  wire,
  type,
  symbols: NO_SYMBOLS,
  message: undefined
})

const NO_SYMBOLS: ReadonlyMap<number, string> = new Map()
const TIMESTAMP = plain('timestamp', WIRE.BYTES, 'timestamp')

const scalar = (kind: ScalarKind): ValuePlan => plain(kind, WIRES[kind], TYPES[kind])

/** What is of any form, and what JSON has by itself. */
const JSON_TYPES: ReadonlySet<string> = new Set(
  ['Any', 'Struct', 'Value', 'ListValue'].map(name => `google.protobuf.${name}`)
)

const WRAPPERS: ReadonlySet<string> = new Set(
  ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map(
    name => `google.protobuf.${name}Value`
  )
)

const ULONG: ColumnType = { decimal: { precision: 20, scale: 0 } }

const TYPES: Readonly<Record<ScalarKind, ColumnType>> = {
  double: 'double',
  float: 'float',
  int32: 'int',
  sint32: 'int',
  sfixed32: 'int',
  uint32: 'long',
  fixed32: 'long',
  int64: 'long',
  sint64: 'long',
  sfixed64: 'long',
  uint64: ULONG,
  fixed64: ULONG,
  bool: 'boolean',
  string: 'string',
  bytes: 'binary'
}

const WIRES: Readonly<Record<ScalarKind, number>> = {
  double: WIRE.FIXED64,
  float: WIRE.FIXED32,
  int32: WIRE.VARINT,
  sint32: WIRE.VARINT,
  sfixed32: WIRE.FIXED32,
  uint32: WIRE.VARINT,
  fixed32: WIRE.FIXED32,
  int64: WIRE.VARINT,
  sint64: WIRE.VARINT,
  sfixed64: WIRE.FIXED64,
  uint64: WIRE.VARINT,
  fixed64: WIRE.FIXED64,
  bool: WIRE.VARINT,
  string: WIRE.BYTES,
  bytes: WIRE.BYTES
}
