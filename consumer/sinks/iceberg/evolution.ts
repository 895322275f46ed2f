import { FatalError } from '../../../lib/errors.ts'
import { isNested, type ColumnType, type Field, type Primitive, type TableSchema } from '../../columns/schema.ts'
import type { TableChange } from './commit.ts'
import { currentSchema, type TableMetadata } from './metadata.ts'
import {
  columnType,
  fieldNamed,
  icebergFields,
  icebergType,
  idsAfter,
  primitiveName,
  primitiveType,
  type IcebergField,
  type IcebergSchema,
  type IcebergType,
  type NextId
} from './schema.ts'

export type Evolution =
  /** The table can take files of the wanted columns as it is. */
  | { readonly status: 'current' }
  /** It can after this change; on a conflict load the table and plan again. */
  | { readonly status: 'change'; readonly change: TableChange }
  /**
   * A column of it cannot take ours, not even wider: RetryableError `SchemaMoved`, or fatal when the column is not one
   * that grows.
   */
  | { readonly status: 'moved'; readonly reason: string }

/**
 * What makes a table take files of the wanted columns: those it lacks are added, those that are wider are widened, and
 * what may be null is made optional (spec, "Schema Evolution"). Columns are only ever added under a name that the
 * newest schema lacks, so that processes that see the same new field at once add it once. FatalError `IncompatibleTable`
 * when the table wants a value of a column that we do not write.
 */
export function planEvolution(metadata: TableMetadata, wanted: TableSchema, table: string): Evolution {
  const current = currentSchema(metadata)
  checkUnwritten(current, wanted, table)
  const merge = new Merge(idsAfter(metadata.lastColumnId), current['identifier-field-ids'] ?? [], table)
  try {
    const fields = merge.struct(current.fields, wanted.fields, '')
    if (!merge.isChanged) return { status: 'current' }
    return { status: 'change', change: change(metadata, { ...current, fields }) }
  } catch (error) {
    if (error instanceof Moved) return { status: 'moved', reason: `Iceberg table ${table} ${error.message}` }
    throw error
  }
}

function change(metadata: TableMetadata, schema: IcebergSchema): TableChange {
  const schemaId = Math.max(...metadata.schemas.map(each => each['schema-id'])) + 1
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata.tableUuid },
      { type: 'assert-current-schema-id', 'current-schema-id': metadata.currentSchemaId },
      { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': metadata.lastColumnId }
    ],
    updates: [
      {
        action: 'add-schema',
        schema: { ...schema, 'schema-id': schemaId },
        'last-column-id': Math.max(metadata.lastColumnId, ...idsIn({ type: 'struct', fields: schema.fields }))
      },
      { action: 'set-current-schema', 'schema-id': -1 }
    ]
  }
}

class Moved extends Error {}

/** Lays our fields over the table's. */
class Merge {
  readonly #next: NextId
  readonly #identifiers: readonly number[]
  readonly #table: string
  isChanged = false

  constructor(next: NextId, identifiers: readonly number[], table: string) {
    this.#next = next
    this.#identifiers = identifiers
    this.#table = table
  }

  struct(theirs: readonly IcebergField[], ours: readonly Field[], parent: string): readonly IcebergField[] {
    if (parent !== '') checkNested(theirs, ours, parent)
    const merged = [...theirs]
    const missing: Field[] = []
    for (const field of ours) {
      const known = fieldNamed(theirs, field.name)
      // Rows that are there already have no value of a new column.
      if (known === undefined) missing.push({ ...field, nullable: true })
      else merged[theirs.indexOf(known)] = this.#field(known, field, `${parent}${known.name}`)
    }
    if (missing.length === 0) return merged
    this.isChanged = true
    return [...merged, ...icebergFields(missing, this.#next, this.#table)]
  }

  #field(theirs: IcebergField, { type, nullable }: Field, path: string): IcebergField {
    const merged = this.#type(theirs.type, type, path)
    if (!theirs.required || !nullable) return merged === theirs.type ? theirs : { ...theirs, type: merged }
    if (this.#identifiers.includes(theirs.id)) throw new Moved(`forbids nulls in its identifier column ${path}`)
    this.isChanged = true
    return { ...theirs, type: merged, required: false }
  }

  #type(theirs: IcebergType, ours: ColumnType, path: string): IcebergType {
    if (typeof theirs === 'string') {
      const known = primitiveType(theirs)
      const wider = known === undefined || isNested(ours) ? undefined : widest(known, ours)
      if (wider === undefined) throw new Moved(`has column ${path} as ${theirs} where ${describe(ours)} is written`)
      if (wider === known) return theirs
      this.isChanged = true
      return primitiveName(wider)
    }
    if (isNested(ours)) {
      if (theirs.type === 'struct' && 'struct' in ours) {
        const fields = this.struct(theirs.fields, ours.struct, `${path}.`)
        return fields.every((field, index) => field === theirs.fields[index]) ? theirs : { ...theirs, fields }
      }
      if (theirs.type === 'list' && 'list' in ours) {
        const element = this.#type(theirs.element, ours.list, `${path}.element`)
        const required = theirs['element-required'] && !ours.elementNullable
        if (required !== theirs['element-required']) this.isChanged = true
        return { ...theirs, element, 'element-required': required }
      }
      if (theirs.type === 'map' && 'map' in ours) {
        const { key, value, valueNullable } = ours.map
        // Keys do not evolve.
        if (new Merge(this.#next, [], this.#table).#changes(theirs.key, key))
          throw new Moved(`has the keys of ${path} as ${describeTheirs(theirs.key)} where ${describe(key)} is written`)
        const merged = this.#type(theirs.value, value, `${path}.value`)
        const required = theirs['value-required'] && !valueNullable
        if (required !== theirs['value-required']) this.isChanged = true
        return { ...theirs, value: merged, 'value-required': required }
      }
    }
    throw new Moved(`has column ${path} as ${theirs.type} where ${describe(ours)} is written`)
  }

  #changes(theirs: IcebergType, ours: ColumnType): boolean {
    this.#type(theirs, ours, 'key')
    return this.isChanged
  }
}

/** As for columns, but a struct may come and go with what is read: nobody has to stop for ever. */
function checkNested(theirs: readonly IcebergField[], ours: readonly Field[], parent: string): void {
  const written = new Set(ours.map(({ name }) => name.toLowerCase()))
  const needed = theirs.find(
    each => each.required && (each['initial-default'] ?? null) === null && !written.has(each.name.toLowerCase())
  )
  if (needed !== undefined) throw new Moved(`requires ${parent}${needed.name}, which is not written`)
}

/** The narrowest type that holds values of both, by promotions that the specification allows; undefined when none does. */
function widest(theirs: Primitive, ours: Primitive): Primitive | undefined {
  if (typeof theirs === 'object' || typeof ours === 'object') {
    if (primitiveNameOrUndefined(theirs) === primitiveNameOrUndefined(ours)) return theirs
    if (typeof theirs === 'string' || typeof ours === 'string') return undefined
    if (!('decimal' in theirs) || !('decimal' in ours) || theirs.decimal.scale !== ours.decimal.scale) return undefined
    return ours.decimal.precision > theirs.decimal.precision ? ours : theirs
  }
  if (theirs === ours) return theirs
  const pair = `${theirs} ${ours}`
  // A file may hold the narrower type: readers widen it.
  if (pair === 'long int' || pair === 'double float') return theirs
  return pair === 'int long' || pair === 'float double' ? ours : undefined
}

const primitiveNameOrUndefined = (type: Primitive): string | undefined =>
  typeof type === 'object' ? primitiveName(type) : undefined

/** Columns that we do not write must be able to do without us. */
function checkUnwritten({ fields }: IcebergSchema, wanted: TableSchema, table: string): void {
  const written = new Set(wanted.fields.map(({ name }) => name.toLowerCase()))
  for (const field of fields) {
    if (written.has(field.name.toLowerCase())) continue
    const refuse = (why: string, remedy: string) =>
      new FatalError(
        'IncompatibleTable',
        `Iceberg table ${table} ${why} column ${field.name}, which the pipeline does not write. ${remedy}, or name another table in spec.topics[].table.`
      )
    const [initial, write] = [field['initial-default'] ?? null, field['write-default'] ?? null]
    // A column that is missing in a file reads as its initial default.
    if (field.required && initial === null) throw refuse('requires', 'Make it optional')
    if (JSON.stringify(initial) !== JSON.stringify(write))
      throw refuse('has a write default for', 'Drop the default (it would have to be written into every row)')
  }
}

const describe = (type: ColumnType): string => describeTheirs(icebergType(type, idsAfter(0), ''))

function describeTheirs(type: IcebergType): string {
  if (typeof type === 'string') return type
  const known = columnType(type)
  return known === undefined ? type.type : `${type.type} (${JSON.stringify(known)})`
}

function idsIn(type: IcebergType): readonly number[] {
  if (typeof type === 'string') return []
  if (type.type === 'list') return [type['element-id'], ...idsIn(type.element)]
  if (type.type === 'map') return [type['key-id'], type['value-id'], ...idsIn(type.key), ...idsIn(type.value)]
  return type.fields.flatMap(({ id, type: inner }) => [id, ...idsIn(inner)])
}
