import { FatalError } from '../../../lib/errors.ts'
import { isNested, type ColumnType, type Field, type Primitive, type TableSchema } from '../../columns/schema.ts'
import type { TableColumn } from '../../sink.ts'
import { Malformed, asBoolean, asInteger, asList, asObject, asText, listOr } from './checked.ts'

/** An Iceberg schema as its JSON (spec, Appendix C); what we do not know of a field stays in it. */
export interface IcebergSchema {
  readonly type: 'struct'
  readonly 'schema-id': number
  readonly 'identifier-field-ids'?: readonly number[]
  readonly fields: readonly IcebergField[]
}

export interface IcebergField {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: IcebergType
  readonly doc?: string
  readonly 'initial-default'?: unknown
  readonly 'write-default'?: unknown
}

/** A primitive type is its name: `decimal(9,2)`. */
export type IcebergType = string | IcebergStruct | IcebergList | IcebergMap

export interface IcebergStruct {
  readonly type: 'struct'
  readonly fields: readonly IcebergField[]
}

export interface IcebergList {
  readonly type: 'list'
  readonly 'element-id': number
  readonly element: IcebergType
  readonly 'element-required': boolean
}

export interface IcebergMap {
  readonly type: 'map'
  readonly 'key-id': number
  readonly key: IcebergType
  readonly 'value-id': number
  readonly value: IcebergType
  readonly 'value-required': boolean
}

/** Gives out ids above those that a table has ever used. */
export type NextId = () => number

export const idsAfter = (last: number): NextId => {
  let id = last
  return () => ++id
}

/** The schema of a table that is created, with ids from 1. FatalError `InvalidColumnName`. */
export function icebergSchema({ fields }: TableSchema, table: string): IcebergSchema {
  return { type: 'struct', 'schema-id': 0, fields: icebergFields(fields, idsAfter(0), table) }
}

/** Ids level by level, as the reference implementation gives them. */
export function icebergFields(fields: readonly Field[], next: NextId, table: string): readonly IcebergField[] {
  checkNames(fields, table)
  const ids = fields.map(next)
  return fields.map(({ name, type, nullable, comment }, index) => ({
    id: ids[index] as number,
    name,
    required: !nullable,
    type: icebergType(type, next, table),
    ...(comment === undefined ? {} : { doc: comment })
  }))
}

export function icebergType(type: ColumnType, next: NextId, table: string): IcebergType {
  if (!isNested(type)) return primitiveName(type)
  if ('struct' in type) return { type: 'struct', fields: icebergFields(type.struct, next, table) }
  if ('list' in type) {
    const id = next()
    return {
      type: 'list',
      'element-id': id,
      element: icebergType(type.list, next, table),
      'element-required': !type.elementNullable
    }
  }
  const { key, value, valueNullable } = type.map
  const [keyId, valueId] = [next(), next()]
  return {
    type: 'map',
    'key-id': keyId,
    key: icebergType(key, next, table),
    'value-id': valueId,
    value: icebergType(value, next, table),
    'value-required': !valueNullable
  }
}

/** Names that engines give to columns of their own making. */
const RESERVED = new Set([
  '_file',
  '_pos',
  '_deleted',
  '_spec_id',
  '_partition',
  '_row_id',
  '_last_updated_sequence_number',
  '_change_type',
  '_change_ordinal',
  '_commit_snapshot_id'
])

function checkNames(fields: readonly Field[], table: string): void {
  const seen = new Set<string>()
  for (const { name } of fields) {
    const refuse = (why: string) =>
      new FatalError('InvalidColumnName', `Table ${table}: ${why}. Rename the column in the pipeline.`)
    if (name === '') throw refuse('a column has no name')
    if (RESERVED.has(name.toLowerCase())) throw refuse(`engines give the name ${name} to a column of their own`)
    if (seen.has(name.toLowerCase())) throw refuse(`two columns are named ${name}; engines ignore case`)
    seen.add(name.toLowerCase())
  }
}

const NAMES: Readonly<Record<Extract<Primitive, string>, string>> = {
  string: 'string',
  binary: 'binary',
  int: 'int',
  long: 'long',
  float: 'float',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamptz',
  timestampNtz: 'timestamp',
  time: 'time',
  date: 'date',
  uuid: 'uuid'
}

const PRIMITIVES = new Map(Object.entries(NAMES).map(([ours, theirs]) => [theirs, ours as Primitive]))

export function primitiveName(type: Primitive): string {
  if (typeof type === 'string') return NAMES[type]
  return 'fixed' in type ? `fixed[${type.fixed}]` : `decimal(${type.decimal.precision},${type.decimal.scale})`
}

/** Undefined for a type that we do not write. */
export function primitiveType(name: string): Primitive | undefined {
  const known = PRIMITIVES.get(name)
  if (known !== undefined) return known
  const [, bytes] = /^fixed\[\s*(\d{1,9})\s*\]$/.exec(name) ?? []
  if (bytes !== undefined) return { fixed: Number(bytes) }
  const [, precision, scale] = /^decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)$/.exec(name) ?? []
  return precision === undefined ? undefined : { decimal: { precision: Number(precision), scale: Number(scale) } }
}

/** Undefined when a part of it is of a type that we do not write. */
export function columnType(type: IcebergType): ColumnType | undefined {
  if (typeof type === 'string') return primitiveType(type)
  if (type.type === 'list') {
    const list = columnType(type.element)
    return list && { list, elementNullable: !type['element-required'] }
  }
  if (type.type === 'map') {
    const [key, value] = [columnType(type.key), columnType(type.value)]
    return key && value && { map: { key, value, valueNullable: !type['value-required'] } }
  }
  const struct: Field[] = []
  for (const { name, type: inner, required, doc } of type.fields) {
    const known = columnType(inner)
    if (known === undefined) return undefined
    struct.push({ name, type: known, nullable: !required, ...(doc === undefined ? {} : { comment: doc }) })
  }
  return { struct }
}

export const tableColumns = ({ fields }: IcebergSchema): readonly TableColumn[] =>
  fields.map(({ name, type, required }) => ({ name, type: columnType(type), nullable: !required }))

/** The field of a name, ignoring case as engines do. */
export const fieldNamed = (fields: readonly IcebergField[], name: string): IcebergField | undefined =>
  fields.find(each => each.name === name) ?? fields.find(each => each.name.toLowerCase() === name.toLowerCase())

/** Checks what the catalog gave. Throws Malformed. */
export function parseIcebergSchema(json: unknown, what: string): IcebergSchema {
  const schema = asObject(json, what)
  asInteger(schema['schema-id'], `${what}.schema-id`)
  for (const id of listOr(schema['identifier-field-ids'], what)) asInteger(id, what)
  checkType({ ...schema, type: 'struct' }, what, 0)
  return json as IcebergSchema
}

const MAX_DEPTH = 64

function checkType(type: unknown, what: string, depth: number): void {
  if (typeof type === 'string') return
  if (depth > MAX_DEPTH) throw new Malformed(`${what} is nested deeper than ${MAX_DEPTH}`)
  const json = asObject(type, what)
  switch (json['type']) {
    case 'struct':
      for (const each of asList(json['fields'], what)) {
        const field = asObject(each, what)
        const name = asText(field['name'], `${what}: the name of a field`)
        asInteger(field['id'], `${what}.${name}.id`)
        asBoolean(field['required'], `${what}.${name}.required`)
        checkType(field['type'], `${what}.${name}`, depth + 1)
      }
      return
    case 'list':
      asInteger(json['element-id'], `${what}.element-id`)
      asBoolean(json['element-required'], `${what}.element-required`)
      checkType(json['element'], `${what}.element`, depth + 1)
      return
    case 'map':
      asInteger(json['key-id'], `${what}.key-id`)
      asInteger(json['value-id'], `${what}.value-id`)
      asBoolean(json['value-required'], `${what}.value-required`)
      checkType(json['key'], `${what}.key`, depth + 1)
      checkType(json['value'], `${what}.value`, depth + 1)
      return
    default:
      throw new Malformed(`${what} has a type that is none`)
  }
}
