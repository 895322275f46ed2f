import { isNested, type ColumnType, type Field, type Primitive, type TableSchema } from '../../columns/schema.ts'
import { fieldNamed, type IcebergField, type IcebergSchema, type IcebergType } from './schema.ts'

/** A column of values in our files and the table's field that it fills. */
export interface LeafField {
  readonly id: number
  /** Dotted Parquet path, as `EncodedFile.columns` has it. */
  readonly path: string
  /** Name of the field with those above it, as properties of tables name it. */
  readonly name: string
  readonly type: Primitive
  /** Within a list or a map: a row has many of its values, or none. */
  readonly isRepeated: boolean
}

/** Field ids by dotted Parquet path, groups included, for `encodeParquet`. Ours must be in the table's schema. */
export function fieldIds(table: IcebergSchema, ours: TableSchema): ReadonlyMap<string, number> {
  return walk(table, ours).ids
}

/** All leaves of our files in file order. */
export function leafFields(table: IcebergSchema, ours: TableSchema): readonly LeafField[] {
  return walk(table, ours).leaves
}

function walk(table: IcebergSchema, ours: TableSchema): Walk {
  const found = new Walk()
  found.struct(ours.fields, table.fields, '', '', false)
  return found
}

class Walk {
  readonly ids = new Map<string, number>()
  readonly leaves: LeafField[] = []

  struct(
    ours: readonly Field[],
    theirs: readonly IcebergField[],
    parentPath: string,
    parentName: string,
    isRepeated: boolean
  ): void {
    for (const { name, type } of ours) {
      const field = fieldNamed(theirs, name)
      if (field === undefined) throw new Error(`broken invariant: the table has a column ${parentName}${name}`)
      this.#part(type, field.type, field.id, `${parentPath}${name}`, `${parentName}${field.name}`, isRepeated)
    }
  }

  #part(ours: ColumnType, theirs: IcebergType, id: number, path: string, name: string, isRepeated: boolean): void {
    this.ids.set(path, id)
    if (!isNested(ours)) {
      this.leaves.push({ id, path, name, type: ours, isRepeated })
      return
    }
    if (typeof theirs === 'object') {
      if ('struct' in ours && theirs.type === 'struct') {
        this.struct(ours.struct, theirs.fields, `${path}.`, `${name}.`, isRepeated)
        return
      }
      if ('list' in ours && theirs.type === 'list') {
        this.#part(ours.list, theirs.element, theirs['element-id'], `${path}.list.element`, `${name}.element`, true)
        return
      }
      if ('map' in ours && theirs.type === 'map') {
        const { key, value } = ours.map
        this.#part(key, theirs.key, theirs['key-id'], `${path}.key_value.key`, `${name}.key`, true)
        this.#part(value, theirs.value, theirs['value-id'], `${path}.key_value.value`, `${name}.value`, true)
        return
      }
    }
    throw new Error(`broken invariant: the table's column ${name} is nested as ours`)
  }
}
