import { FatalError, invariant } from '../../../lib/errors.ts'
import { isNested, type ColumnType, type Field, type Primitive, type TableSchema } from '../../columns/schema.ts'
import type { Metadata } from './actions.ts'
import { parseJson, stringifyJson } from '../json.ts'

/** Delta's schema as JSON (PROTOCOL.md, "Schema Serialization Format"). */
export type DeltaType =
  | string
  | { readonly type: 'struct'; readonly fields: readonly DeltaField[] }
  | { readonly type: 'array'; readonly elementType: DeltaType; readonly containsNull: boolean }
  | {
      readonly type: 'map'
      readonly keyType: DeltaType
      readonly valueType: DeltaType
      readonly valueContainsNull: boolean
    }

export interface DeltaField {
  readonly name: string
  readonly type: DeltaType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface DeltaSchema {
  readonly type: 'struct'
  readonly fields: readonly DeltaField[]
}

/** What Delta lacks never comes here: see `columns/dialect.ts`. */
const PRIMITIVES: Readonly<Partial<Record<Extract<Primitive, string>, string>>> = {
  string: 'string',
  binary: 'binary',
  int: 'integer',
  long: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
  timestampNtz: 'timestamp_ntz',
  date: 'date'
}

export function deltaType(type: ColumnType): DeltaType {
  if (!isNested(type)) {
    if (typeof type === 'object' && 'decimal' in type) return `decimal(${type.decimal.precision},${type.decimal.scale})`
    const name = typeof type === 'string' ? PRIMITIVES[type] : undefined
    invariant(name !== undefined, `Delta has the type ${JSON.stringify(type)}`)
    return name
  }
  if ('struct' in type) return { type: 'struct', fields: type.struct.map(deltaField) }
  if ('list' in type) {
    return { type: 'array', elementType: nestedType(type.list), containsNull: type.elementNullable }
  }
  const { key, value, valueNullable } = type.map
  return { type: 'map', keyType: deltaType(key), valueType: nestedType(value), valueContainsNull: valueNullable }
}

/** Below a list or a map Spark refuses to write where a field forbids nulls: nothing does there. */
function nestedType(type: ColumnType): DeltaType {
  if (typeof type === 'string' || !('struct' in type)) return deltaType(type)
  return { type: 'struct', fields: type.struct.map(field => deltaField({ ...field, nullable: true })) }
}

/** Below a list or a map nothing forbids nulls. */
export const deltaField = ({ name, type, nullable, comment }: Field): DeltaField => ({
  name,
  type: deltaType(type),
  nullable,
  metadata: comment === undefined ? {} : { comment }
})

/** Characters that Delta allows in a name only with column mapping, which we do not write. */
const FORBIDDEN_IN_NAMES = /[ ,;{}()\n\t=]/

export function deltaSchema(schema: TableSchema, table: string): DeltaSchema {
  const seen = new Set<string>()
  for (const { name } of schema.fields) {
    if (FORBIDDEN_IN_NAMES.test(name) || name === '') {
      throw new FatalError(
        'InvalidColumnName',
        `Column ${JSON.stringify(name)} of table ${table} holds a character that Delta forbids. Rename it in the pipeline.`
      )
    }
    if (seen.has(name.toLowerCase())) {
      throw new FatalError(
        'InvalidColumnName',
        `Table ${table} would have two columns named ${name}; Delta ignores case. Rename one of them.`
      )
    }
    seen.add(name.toLowerCase())
  }
  return { type: 'struct', fields: schema.fields.map(deltaField) }
}

export const formatSchema = (schema: DeltaSchema): string => stringifyJson(schema)

export function parseSchema(metadata: Metadata, table: string): DeltaSchema {
  try {
    const schema = parseJson(metadata.schemaString) as DeltaSchema
    if (Array.isArray(schema.fields)) return schema
  } catch {
    // Reported below: what it is not matters less than where it is.
  }
  throw new FatalError('DeltaLogCorrupt', `The schema in the log of Delta table ${table} is not valid JSON.`)
}

/**
 * The columns an existing table lacks for our rows; they are added as nullable. FatalError `IncompatibleTable` when it has
 * one of ours with another type, or needs what we do not write; with `mayLoosen` columns that are required besides become
 * optional when rows come.
 */
export function missingFields(
  existing: DeltaSchema,
  ours: DeltaSchema,
  table: string,
  mayLoosen = false
): readonly DeltaField[] {
  const refuse = (what: string) =>
    new FatalError(
      'IncompatibleTable',
      `Delta table ${table} ${what}. Rename the column in the pipeline (columns, metadataColumns), or name another table in spec.topics[].table.`
    )
  const theirs = new Map(existing.fields.map(field => [field.name.toLowerCase(), field]))
  const missing: DeltaField[] = []
  for (const field of ours.fields) {
    const known = theirs.get(field.name.toLowerCase())
    theirs.delete(field.name.toLowerCase())
    if (known === undefined) {
      missing.push({ ...field, nullable: true })
      continue
    }
    if (known.name !== field.name) throw refuse(`spells column ${field.name} as ${known.name}`)
    if (!accepts(known.type, field.type)) {
      throw refuse(
        `has column ${field.name} as ${describe(known.type)} where the pipeline writes ${describe(field.type)}`
      )
    }
    if (!known.nullable && field.nullable)
      throw refuse(`forbids nulls in column ${field.name}, which the pipeline may write`)
  }
  for (const { name, nullable } of theirs.values()) {
    if (!nullable && !mayLoosen) throw refuse(`requires column ${name}, which the pipeline does not write`)
  }
  return missing
}

/** Whether values of type `ours` fit a column of type `known` as they are. */
function accepts(known: DeltaType, ours: DeltaType): boolean {
  if (typeof known === 'string' || typeof ours === 'string') return known === ours
  if (known.type === 'struct') {
    if (ours.type !== 'struct' || known.fields.length !== ours.fields.length) return false
    return known.fields.every((field, index) => {
      const other = ours.fields[index]
      if (other === undefined || other.name !== field.name) return false
      return (field.nullable || !other.nullable) && accepts(field.type, other.type)
    })
  }
  if (known.type === 'array') {
    if (ours.type !== 'array') return false
    return (known.containsNull || !ours.containsNull) && accepts(known.elementType, ours.elementType)
  }
  if (ours.type !== 'map') return false
  const isNullable = known.valueContainsNull || !ours.valueContainsNull
  return isNullable && accepts(known.keyType, ours.keyType) && accepts(known.valueType, ours.valueType)
}

const describe = (type: DeltaType): string => (typeof type === 'string' ? type : JSON.stringify(type))
