import type { SettledSink } from '../../crds/settled.ts'
import { MAX_PRECISION } from './decimal.ts'
import { SchemaError } from '../schema-limits.ts'
import { isNested, type ColumnType, type Field, type Primitive } from './schema.ts'

/** What a kind of sink makes of the types that values have, at every depth. */
export interface Dialect {
  type(type: ColumnType): ColumnType
  /** Objects, arrays and the like are columns of JSON, which takes any value (`Field.isJson`). */
  readonly nestedIsJson: boolean
}

/**
 * Iceberg holds all types as they are. Few readers of Delta know tables whose types were widened (docs/decisions/0010), those of
 * plain objects want one type in all of them, and Snowflake changes none in place: there numbers get the widest type at once, so
 * that none ever needs to be widened. Delta has no times, UUIDs and fixed bytes either, Snowflake no UUIDs; and bytes of a length
 * have a column of their own there, which takes any.
 */
export const dialectOf = (kind: SettledSink['kind']): Dialect => DIALECTS[kind]

/** Top-level fields as the dialect has them; the same array when nothing changes. SchemaError for what it cannot hold. */
export function fieldsIn(dialect: Dialect, fields: readonly Field[]): readonly Field[] {
  const mapped = fields.map(field => fieldIn(dialect, field))
  return mapped.every((field, index) => field === fields[index]) ? fields : mapped
}

function fieldIn(dialect: Dialect, field: Field): Field {
  if (dialect.nestedIsJson && (isNested(field.type) || field.isJson === true))
    return { ...field, type: 'string', isJson: true }
  const { isJson, ...plain } = field
  const type = dialect.type(field.type)
  if (type === field.type) return isJson === undefined ? field : plain
  return { ...plain, type }
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
  if (typeof type === 'object') return 'fixed' in type ? 'binary' : widest(type)
  return IN_DELTA[type] ?? widest(type)
}

const IN_DELTA: Readonly<Partial<Record<Extract<Primitive, string>, Primitive>>> = {
  time: 'long',
  uuid: 'string'
}

function inSnowflake(type: Primitive): Primitive {
  if (typeof type !== 'object') return IN_SNOWFLAKE[type] ?? widest(type)
  if ('fixed' in type) return 'binary'
  if (type.decimal.scale > SNOWFLAKE_SCALE)
    throw new SchemaError(
      `a decimal has ${type.decimal.scale} digits after the point, and Snowflake keeps ${SNOWFLAKE_SCALE}`
    )
  return widest(type)
}

/** One column type stands for times of no known zone and for those in UTC: recovered, they could not be told apart. */
const IN_SNOWFLAKE: Readonly<Partial<Record<Extract<Primitive, string>, Primitive>>> = {
  uuid: 'string',
  timestampNtz: 'timestamp'
}

function widest(type: Primitive): Primitive {
  if (type === 'int') return 'long'
  if (type === 'float') return 'double'
  if (typeof type !== 'object' || 'fixed' in type || type.decimal.precision === MAX_PRECISION) return type
  return { decimal: { precision: MAX_PRECISION, scale: type.decimal.scale } }
}

/** sql-reference/data-types-numeric */
const SNOWFLAKE_SCALE = 37

const DIALECTS: Readonly<Record<SettledSink['kind'], Dialect>> = {
  delta: { type: type => mapped(type, inDelta), nestedIsJson: false },
  iceberg: { type: type => type, nestedIsJson: false },
  snowflake: { type: type => (isNested(type) ? type : inSnowflake(type)), nestedIsJson: true },
  s3: { type: type => mapped(type, widest), nestedIsJson: false }
}
