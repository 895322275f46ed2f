import { SCHEMA_LIMITS, SchemaError } from '../schema-limits.ts'
import { logicalOf } from './logical.ts'
import type { AvroField, AvroRecord, AvroType, NamedType, PrimitiveKind } from './type.ts'

/** Parses a schema and those it refers to, which come first. Throws SchemaError. */
export function parseSchema(text: string, references: readonly string[] = []): AvroType {
  const names = new Map<string, NamedType>()
  const parser = new Parser(names)
  for (const reference of references) parser.type(parseJson(reference), '', 0)
  return parser.type(parseJson(text), '', 0)
}

/** As `parseSchema`, of JSON that is parsed already. */
export const schemaOf = (json: unknown): AvroType => new Parser(new Map()).type(json, '', 0)

function parseJson(text: string): unknown {
  if (text.length > SCHEMA_LIMITS.bytes) throw new SchemaError(`the schema is longer than ${SCHEMA_LIMITS.bytes} bytes`)
  try {
    return JSON.parse(text)
  } catch {
    // A bare name is not JSON, but registries hold such schemas.
    if (PRIMITIVES.has(text.trim())) return text.trim()
    throw new SchemaError('the schema is not JSON')
  }
}

const PRIMITIVES: ReadonlySet<string> = new Set<PrimitiveKind>([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string'
])

const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u

type Json = Readonly<Record<string, unknown>>

/** Avro 1.12, "Schema Declaration" and "Names". Aliases and defaults are for readers' schemas: they mean nothing here. */
class Parser {
  readonly #names: Map<string, NamedType>
  #types = 0

  constructor(names: Map<string, NamedType>) {
    this.#names = names
  }

  type(json: unknown, namespace: string, depth: number): AvroType {
    if (depth > SCHEMA_LIMITS.depth) throw new SchemaError(`the schema is nested deeper than ${SCHEMA_LIMITS.depth}`)
    if (++this.#types > SCHEMA_LIMITS.types)
      throw new SchemaError(`the schema has more than ${SCHEMA_LIMITS.types} types`)
    if (typeof json === 'string') return this.#named(json, namespace)
    if (Array.isArray(json)) return this.#union(json, namespace, depth)
    if (typeof json !== 'object' || json === null) throw new SchemaError(`a type is a name, an object or a list`)
    return this.#complex(json as Json, namespace, depth)
  }

  #named(name: string, namespace: string): AvroType {
    if (PRIMITIVES.has(name)) return { kind: name as PrimitiveKind }
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
    // Some producers refer to names without a namespace from within one.
    const found = this.#names.get(full) ?? this.#names.get(name)
    if (found === undefined) throw new SchemaError(`the type ${quoted(full)} is not known`)
    return found
  }

  #union(json: readonly unknown[], namespace: string, depth: number): AvroType {
    if (json.length > SCHEMA_LIMITS.fields)
      throw new SchemaError(`a union has more than ${SCHEMA_LIMITS.fields} branches`)
    if (json.length === 0) throw new SchemaError('a union has no branches')
    const branches = json.map(each => this.type(each, namespace, depth + 1))
    const keys = branches.map(branch => ('name' in branch ? branch.name : branch.kind))
    if (keys.includes('union')) throw new SchemaError('a union is directly within a union')
    if (new Set(keys).size < keys.length) throw new SchemaError('a union has a type twice')
    return { kind: 'union', branches }
  }

  #complex(json: Json, namespace: string, depth: number): AvroType {
    const { type } = json
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, depth)
      case 'enum': {
        const name = fullName(json, namespace)
        return this.#define({ kind: 'enum', name, symbols: symbolsOf(json, name) })
      }
      case 'fixed': {
        const { size } = json
        const name = fullName(json, namespace)
        if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > SCHEMA_LIMITS.fixedBytes)
          throw new SchemaError(`the size of ${name} is none of 0 to ${SCHEMA_LIMITS.fixedBytes}`)
        return this.#define(withLogical({ kind: 'fixed', name, sizeBytes: size as number }, json))
      }
      case 'array':
        return { kind: 'array', items: this.type(json['items'], namespace, depth + 1) }
      case 'map':
        return { kind: 'map', values: this.type(json['values'], namespace, depth + 1) }
      default: {
        const inner = this.type(type, namespace, depth + 1)
        return PRIMITIVES.has(inner.kind) ? withLogical(inner, json) : inner
      }
    }
  }

  #record(json: Json, namespace: string, depth: number): AvroRecord {
    const name = fullName(json, namespace)
    const { fields } = json
    if (!Array.isArray(fields)) throw new SchemaError(`the record ${name} has no list of fields`)
    if (fields.length > SCHEMA_LIMITS.fields)
      throw new SchemaError(`${name} has more than ${SCHEMA_LIMITS.fields} fields`)
    const parsed: AvroField[] = []
    const record: AvroRecord = { kind: 'record', name, fields: parsed }
    // Known before its fields are parsed: they may refer to it.
    this.#define(record)
    const inner = name.slice(0, Math.max(0, name.lastIndexOf('.')))
    for (const field of fields as readonly unknown[]) {
      if (typeof field !== 'object' || field === null) throw new SchemaError(`a field of ${name} is not an object`)
      const { name: fieldName, type, doc } = field as Json
      if (typeof fieldName !== 'string' || !NAME.test(fieldName) || fieldName.length > 255)
        throw new SchemaError(`${quoted(fieldName)} in ${name} is not the name of a field`)
      if (parsed.some(each => each.name === fieldName)) throw new SchemaError(`${name} has ${quoted(fieldName)} twice`)
      parsed.push({
        name: fieldName,
        type: this.type(type, inner, depth + 1),
        doc: typeof doc === 'string' ? doc : undefined
      })
    }
    return record
  }

  #define<T extends NamedType>(type: T): T {
    if (this.#names.has(type.name)) throw new SchemaError(`${type.name} is defined twice`)
    this.#names.set(type.name, type)
    return type
  }
}

function fullName({ name, namespace: own }: Json, namespace: string): string {
  if (typeof name !== 'string' || name.length > 1024 || !name.split('.').every(part => NAME.test(part)))
    throw new SchemaError(`${quoted(name)} is not the name of a type`)
  if (PRIMITIVES.has(name)) throw new SchemaError(`a type is called ${name}`)
  if (name.includes('.')) return name
  const space = typeof own === 'string' ? own : namespace
  return space === '' ? name : `${space}.${name}`
}

function symbolsOf({ symbols }: Json, name: string): readonly string[] {
  if (!Array.isArray(symbols) || symbols.length === 0 || symbols.length > SCHEMA_LIMITS.types)
    throw new SchemaError(`the enum ${name} has no list of symbols, or too many`)
  const texts = symbols.filter(symbol => typeof symbol === 'string')
  if (texts.length < symbols.length) throw new SchemaError(`a symbol of ${name} is not text`)
  return texts
}

/** A logical type that is not known, or does not fit its base, is ignored, as the specification has it. */
function withLogical<T extends AvroType>(type: T, json: Json): T {
  const logical = logicalOf(type, json)
  return logical === undefined ? type : { ...type, logical }
}

/** Names from outside in messages: cut, and quoted. */
const quoted = (name: unknown) => JSON.stringify(String(name).slice(0, 100))
