import type { ParquetType, SchemaElement } from 'hyparquet'
import { decimalBytes } from '../columns/decimal.ts'
import { isNested, type ColumnType, type Field, type Primitive, type TableSchema } from '../columns/schema.ts'

type ListType = Extract<ColumnType, { readonly list: ColumnType }>
type MapType = Extract<ColumnType, { readonly map: unknown }>

/** One column of values in a file: a field, or an innermost part of a nested one. */
export interface Leaf {
  /** Names from the field down, as Parquet has them (`headers`, `list`, `element`, `key`). */
  readonly path: readonly string[]
  /** `path` joined by dots. */
  readonly name: string
  readonly type: Primitive
  /** Dremel levels: of a value that is there, and of one that repeats at the innermost list. */
  readonly maxDefinition: number
  readonly maxRepetition: number
  /** Whether its least and greatest value are gathered. */
  readonly bounded: boolean
}

/** A field or part of one, with the levels at which it is there. Leaves are numbered in file order. */
export type Node =
  | { readonly kind: 'leaf'; readonly leaf: number; readonly definition: number; readonly nullable: boolean }
  | {
      readonly kind: 'struct'
      readonly definition: number
      readonly nullable: boolean
      readonly fields: readonly { readonly name: string; readonly node: Node }[]
    }
  | {
      /** A map is a list of structs of `key` and `value`. */
      readonly kind: 'list'
      readonly definition: number
      readonly repetition: number
      readonly nullable: boolean
      readonly element: Node
      readonly isMap: boolean
    }

export interface Shape {
  readonly leaves: readonly Leaf[]
  readonly elements: readonly SchemaElement[]
  readonly fields: readonly { readonly name: string; readonly node: Node }[]
}

/** What a table's schema is as Parquet (LogicalTypes.md: three-level lists and maps). Partition columns are not written. */
export function shapeOf(schema: TableSchema): Shape {
  const builder = new Builder()
  const written = schema.fields.filter(({ name }) => !schema.partitionBy.includes(name))
  builder.elements.push({ name: 'table', num_children: written.length })
  const top = { path: [], definition: 0, repetition: 0, bounded: true }
  const fields = written.map(field => ({ name: field.name, node: builder.field(field, top) }))
  return { leaves: builder.leaves, elements: builder.elements, fields }
}

/** What a part of the schema stands in. */
interface Place {
  readonly path: readonly string[]
  readonly definition: number
  readonly repetition: number
  /** False below lists, and where the field says so. */
  readonly bounded: boolean
}

class Builder {
  readonly leaves: Leaf[] = []
  readonly elements: SchemaElement[] = []

  field({ name, type, nullable, unbounded }: Field, parent: Place): Node {
    return this.#node(name, type, nullable, { ...parent, bounded: parent.bounded && unbounded !== true })
  }

  #node(name: string, type: ColumnType, nullable: boolean, parent: Place): Node {
    const definition = parent.definition + (nullable ? 1 : 0)
    const place = { ...parent, path: [...parent.path, name], definition }
    const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
    if (!isNested(type)) {
      this.elements.push({ name, repetition_type, ...elementOf(type) })
      return { kind: 'leaf', leaf: this.#leaf(type, place), definition, nullable }
    }
    if ('struct' in type) {
      this.elements.push({ name, repetition_type, num_children: type.struct.length })
      const fields = type.struct.map(field => ({ name: field.name, node: this.field(field, place) }))
      return { kind: 'struct', definition, nullable, fields }
    }
    const kind = 'list' in type ? 'LIST' : 'MAP'
    this.elements.push({ name, repetition_type, num_children: 1, converted_type: kind, logical_type: { type: kind } })
    return 'list' in type ? this.#list(type, place, nullable) : this.#map(type, place, nullable)
  }

  #leaf(type: Primitive, { path, definition, repetition, bounded }: Place): number {
    this.leaves.push({
      path,
      name: path.join('.'),
      type,
      maxDefinition: definition,
      maxRepetition: repetition,
      bounded: bounded && hasBounds(type)
    })
    return this.leaves.length - 1
  }

  #list(type: ListType, place: Place, nullable: boolean): Node {
    this.elements.push({ name: 'list', repetition_type: 'REPEATED', num_children: 1 })
    const inner = repeated(place, 'list')
    const element = this.#node('element', type.list, type.elementNullable, inner)
    return { kind: 'list', definition: inner.definition, repetition: inner.repetition, nullable, element, isMap: false }
  }

  #map({ map }: MapType, place: Place, nullable: boolean): Node {
    this.elements.push({ name: 'key_value', repetition_type: 'REPEATED', num_children: 2 })
    const inner = repeated(place, 'key_value')
    const fields = [
      { name: 'key', node: this.#node('key', map.key, false, inner) },
      { name: 'value', node: this.#node('value', map.value, map.valueNullable, inner) }
    ]
    const element: Node = { kind: 'struct', definition: inner.definition, nullable: false, fields }
    return { kind: 'list', definition: inner.definition, repetition: inner.repetition, nullable, element, isMap: true }
  }
}

const repeated = ({ path, definition, repetition }: Place, name: string): Place => ({
  path: [...path, name],
  definition: definition + 1,
  repetition: repetition + 1,
  bounded: false
})

/** Bytes that are no text prune nothing, and engines disagree about the order of UUIDs. */
const hasBounds = (type: Primitive): boolean =>
  type !== 'binary' && type !== 'uuid' && (typeof type === 'string' || 'decimal' in type)

/** How Parquet says the type (LogicalTypes.md); both table formats ask for the least bytes that a decimal's precision needs. */
export function elementOf(type: Primitive): Omit<SchemaElement, 'name'> & { readonly type: ParquetType } {
  if (typeof type === 'string') return ELEMENT[type]
  if ('fixed' in type) return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: type.fixed }
  const { precision, scale } = type.decimal
  const annotation = {
    converted_type: 'DECIMAL',
    precision,
    scale,
    logical_type: { type: 'DECIMAL', precision, scale }
  } as const
  const bytes = decimalBytes(precision)
  if (bytes > 8) return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: bytes, ...annotation }
  return { type: bytes === 4 ? 'INT32' : 'INT64', ...annotation }
}

const ELEMENT: Readonly<
  Record<Extract<Primitive, string>, Omit<SchemaElement, 'name'> & { readonly type: ParquetType }>
> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  binary: { type: 'BYTE_ARRAY' },
  int: { type: 'INT32' },
  long: { type: 'INT64' },
  float: { type: 'FLOAT' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  timestamp: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' }
  },
  // The older annotation would say UTC.
  timestampNtz: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
  time: { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } },
  date: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
  uuid: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }
}
