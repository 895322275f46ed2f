import { RetryableError } from '../../../lib/errors.ts'
import { folded } from '../../columns/evolve.ts'
import type { ColumnType, Field } from '../../columns/schema.ts'
import type { TableColumn } from '../../sink.ts'
import type { Action } from './actions.ts'
import { withFeature } from './protocol.ts'
import { deltaField, formatSchema, type DeltaField, type DeltaSchema, type DeltaType } from './schema.ts'
import type { Snapshot } from './snapshot.ts'

/** The columns of a table as we would write them. */
export const tableColumns = ({ fields }: DeltaSchema): readonly TableColumn[] =>
  fields.map(({ name, type, nullable }) => ({ name, type: columnType(type), nullable }))

/** What a commit must say beside its files for rows of these schemas; nothing when the table is ready for them. */
export function evolutionActions(
  { metadata, protocol }: Pick<Snapshot, 'metadata' | 'protocol'>,
  existing: DeltaSchema,
  missing: readonly DeltaField[],
  columns: readonly (readonly Field[])[],
  table: string
): readonly Action[] {
  let schema = missing.length === 0 ? existing : { ...existing, fields: [...existing.fields, ...missing] }
  for (const fields of columns) {
    const next = evolved(schema, fields)
    if ('misfit' in next)
      throw new RetryableError(
        'SchemaMoved',
        `Delta table ${table} has got a column ${next.misfit} that cannot take ours`
      )
    schema = next
  }
  if (schema === existing) return []
  const wanted = mentions(schema, 'timestamp_ntz') ? withFeature(protocol, 'timestampNtz') : protocol
  const metaData = { ...metadata, schemaString: formatSchema(schema) }
  return [...(wanted === protocol ? [] : [{ protocol: wanted }]), { metaData }]
}

/**
 * A table's schema with columns for these fields, which may be null at every depth: new ones at the end, and none that
 * forbids nulls, since rows may lack any. The same object when nothing changes. Gives the path of a column that cannot
 * take its field: Delta's types are never changed (docs/decisions/0010).
 */
export function evolved(existing: DeltaSchema, fields: readonly Field[]): DeltaSchema | { readonly misfit: string } {
  const merged = mergedFields(existing.fields, fields.map(deltaField), '')
  if (typeof merged === 'string') return { misfit: merged }
  return merged === existing.fields ? existing : { ...existing, fields: merged }
}

/** Whether a type is anywhere in the schema. */
export function mentions(type: DeltaType, wanted: string): boolean {
  if (typeof type === 'string') return type === wanted
  if (type.type === 'struct') return type.fields.some(field => mentions(field.type, wanted))
  if (type.type === 'array') return mentions(type.elementType, wanted)
  return mentions(type.keyType, wanted) || mentions(type.valueType, wanted)
}

/** The path of a misfit as text. */
function mergedFields(
  existing: readonly DeltaField[],
  ours: readonly DeltaField[],
  prefix: string
): readonly DeltaField[] | string {
  const left = new Map(ours.map(field => [folded(field.name), field]))
  const kept: DeltaField[] = []
  for (const field of existing) {
    const other = left.get(folded(field.name))
    left.delete(folded(field.name))
    // Another writer may have added the column in another spelling: then ours must follow.
    if (other !== undefined && other.name !== field.name) return `${prefix}${field.name}`
    const type = other === undefined ? field.type : mergedType(field.type, other.type, `${prefix}${field.name}`)
    if (typeof type === 'object' && 'misfit' in type) return type.misfit
    kept.push(type === field.type && field.nullable ? field : { ...field, type, nullable: true })
  }
  if (left.size === 0 && kept.every((field, index) => field === existing[index])) return existing
  return [...kept, ...left.values()]
}

function mergedType(existing: DeltaType, ours: DeltaType, path: string): DeltaType | { readonly misfit: string } {
  const misfit = { misfit: path }
  if (typeof existing === 'string' || typeof ours === 'string') return existing === ours ? existing : misfit
  if (existing.type === 'struct') {
    if (ours.type !== 'struct') return misfit
    const fields = mergedFields(existing.fields, ours.fields, `${path}.`)
    if (typeof fields === 'string') return { misfit: fields }
    return fields === existing.fields ? existing : { ...existing, fields }
  }
  if (existing.type === 'array') {
    if (ours.type !== 'array') return misfit
    const elementType = mergedType(existing.elementType, ours.elementType, path)
    if (typeof elementType === 'object' && 'misfit' in elementType) return elementType
    return elementType === existing.elementType && existing.containsNull
      ? existing
      : { ...existing, elementType, containsNull: true }
  }
  if (ours.type !== 'map' || JSON.stringify(existing.keyType) !== JSON.stringify(ours.keyType)) return misfit
  const valueType = mergedType(existing.valueType, ours.valueType, path)
  if (typeof valueType === 'object' && 'misfit' in valueType) return valueType
  return valueType === existing.valueType && existing.valueContainsNull
    ? existing
    : { ...existing, valueType, valueContainsNull: true }
}

const DECIMAL = /^decimal\((\d+),\s*(\d+)\)$/

/** Undefined for a type that we cannot write. */
function columnType(type: DeltaType): ColumnType | undefined {
  if (typeof type === 'string') {
    const [, precision, scale] = DECIMAL.exec(type) ?? []
    if (precision !== undefined) return { decimal: { precision: Number(precision), scale: Number(scale) } }
    return COLUMN_TYPES[type]
  }
  if (type.type === 'struct') {
    const struct: Field[] = []
    for (const { name, type: part, nullable } of type.fields) {
      const known = columnType(part)
      if (known === undefined) return undefined
      struct.push({ name, type: known, nullable })
    }
    return { struct }
  }
  if (type.type === 'array') {
    const list = columnType(type.elementType)
    return list && { list, elementNullable: type.containsNull }
  }
  const [key, value] = [columnType(type.keyType), columnType(type.valueType)]
  return key && value && { map: { key, value, valueNullable: type.valueContainsNull } }
}

const COLUMN_TYPES: Readonly<Partial<Record<string, ColumnType>>> = {
  string: 'string',
  binary: 'binary',
  integer: 'int',
  long: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
  timestamp_ntz: 'timestampNtz',
  date: 'date'
}
