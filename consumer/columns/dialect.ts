import type { SettledSink } from '../../crds/settled.ts'
import { MAX_PRECISION } from './decimal.ts'
import { isNested, type ColumnType, type Field, type Primitive } from './schema.ts'

/** What a kind of sink makes of the types that values have, at every depth. */
export interface Dialect {
  type(type: ColumnType): ColumnType
}

/**
 * Iceberg holds all types as they are. Delta has no times, UUIDs and fixed bytes; and since few of its readers know
 * tables whose types were widened (docs/decisions/0010), numbers get the widest type at once, so that none ever needs
 * to be.
 */
export const dialectOf = (kind: SettledSink['kind']): Dialect => DIALECTS[kind]

/** Fields as the dialect has them; the same array when nothing changes. */
export function fieldsIn(dialect: Dialect, fields: readonly Field[]): readonly Field[] {
  const mapped = fields.map(field => {
    const type = dialect.type(field.type)
    return type === field.type ? field : { ...field, type }
  })
  return mapped.every((field, index) => field === fields[index]) ? fields : mapped
}

function mapped(type: ColumnType, primitive: (type: Primitive) => Primitive): ColumnType {
  if (!isNested(type)) return primitive(type)
  if ('struct' in type) {
    const fields = type.struct.map(field => ({ ...field, type: mapped(field.type, primitive) }))
    return fields.every((field, index) => field.type === type.struct[index]?.type) ? type : { struct: fields }
  }
  if ('list' in type) {
    const list = mapped(type.list, primitive)
    return list === type.list ? type : { ...type, list }
  }
  const [key, value] = [mapped(type.map.key, primitive), mapped(type.map.value, primitive)]
  return key === type.map.key && value === type.map.value ? type : { map: { ...type.map, key, value } }
}

function inDelta(type: Primitive): Primitive {
  if (typeof type === 'object') {
    if ('fixed' in type) return 'binary'
    const { precision, scale } = type.decimal
    return precision === MAX_PRECISION ? type : { decimal: { precision: MAX_PRECISION, scale } }
  }
  return IN_DELTA[type] ?? type
}

const IN_DELTA: Readonly<Partial<Record<Extract<Primitive, string>, Primitive>>> = {
  int: 'long',
  float: 'double',
  time: 'long',
  uuid: 'string'
}

const DIALECTS: Readonly<Record<SettledSink['kind'], Dialect>> = {
  delta: { type: type => mapped(type, inDelta) },
  iceberg: { type: type => type },
  snowflake: { type: type => type },
  s3: { type: type => type }
}
