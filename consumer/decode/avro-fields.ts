import { SchemaError } from '../schema-limits.ts'
import { fieldsIn, type Dialect } from '../columns/dialect.ts'
import { isNested, type ColumnType, type Field, type NestedType, type Primitive } from '../columns/schema.ts'
import { isNullable, OP, type Plan } from './avro-plan.ts'

/** A table has no more columns, and so a record none for more. */
const MAX_COLUMNS = 1000

/** Name of the only column of values that are no records. */
export const WHOLE_VALUE = 'value'

/** The columns of the fields of a record; of what is no record, one. SchemaError when they are too many. */
export function fieldsOf(plan: Plan, dialect: Dialect): readonly Field[] {
  if (plan.op === OP.VOID) return []
  const fields = plan.op === OP.RECORD ? structFields(plan) : [field(WHOLE_VALUE, plan, true, undefined)]
  const columns = fields.reduce((sum, { type }) => sum + leaves(type), 0)
  if (columns > MAX_COLUMNS) throw new SchemaError(`the schema has ${columns} columns, a table ${MAX_COLUMNS} at most`)
  return fieldsIn(
    dialect,
    plan.op === OP.RECORD && isNullable(plan) ? fields.map(each => ({ ...each, nullable: true })) : fields
  )
}

function structFields({ parts, names, comments }: Plan): Field[] {
  return parts.flatMap((part, index) =>
    part.op === OP.VOID ? [] : [field(names[index] ?? '', part, isNullable(part), comments[index])]
  )
}

function field(name: string, part: Plan, nullable: boolean, doc: string | undefined): Field {
  const comment = isNanos(part) ? 'Nanoseconds since 1970.' : doc
  const json = part.op === OP.JSON ? { isJson: true as const } : {}
  return { name, type: columnType(part), nullable, ...json, ...(comment === undefined ? {} : { comment }) }
}

function columnType(plan: Plan): ColumnType {
  const [first] = plan.parts
  switch (plan.op) {
    case OP.ARRAY:
      return first === undefined ? 'string' : { list: columnType(first), elementNullable: isNullable(first) }
    case OP.MAP:
      return first === undefined
        ? 'string'
        : { map: { key: 'string', value: columnType(first), valueNullable: isNullable(first) } }
    case OP.RECORD:
      return { struct: structFields(plan) }
    case OP.UNION:
      return { struct: structFields(plan).map(each => ({ ...each, nullable: true })) }
    default:
      return primitiveType(plan)
  }
}

function primitiveType({ op, type, sizeBytes, precision, scale }: Plan): Primitive {
  switch (op) {
    case OP.DECIMAL:
    case OP.FIXED_DECIMAL:
      return { decimal: { precision, scale } }
    case OP.FIXED:
      return sizeBytes === 0 ? 'binary' : { fixed: sizeBytes }
    case OP.TIMESTAMP_MILLIS:
    case OP.TIMESTAMP_MICROS: {
      const logical = 'logical' in type ? type.logical : undefined
      return logical === 'localTimestampMillis' || logical === 'localTimestampMicros' ? 'timestampNtz' : 'timestamp'
    }
    default:
      return TYPES[op] ?? 'string'
  }
}

const TYPES: Readonly<Record<number, Primitive>> = {
  [OP.BOOLEAN]: 'boolean',
  [OP.INT]: 'int',
  [OP.LONG]: 'long',
  [OP.FLOAT]: 'float',
  [OP.DOUBLE]: 'double',
  [OP.BYTES]: 'binary',
  [OP.STRING]: 'string',
  [OP.ENUM]: 'string',
  [OP.UUID]: 'uuid',
  [OP.FIXED_UUID]: 'uuid',
  [OP.DATE]: 'date',
  [OP.TIME_MILLIS]: 'time',
  [OP.TIME_MICROS]: 'time',
  [OP.JSON]: 'string'
}

function isNanos({ type }: Plan): boolean {
  // A nullable one is the plan of a union's branch: its type is that of the branch.
  return 'logical' in type && (type.logical === 'timestampNanos' || type.logical === 'localTimestampNanos')
}

function leaves(type: ColumnType): number {
  return isNested(type) ? partsOf(type).reduce((sum, part) => sum + leaves(part), 0) : 1
}

function partsOf(type: NestedType): readonly ColumnType[] {
  if ('struct' in type) return type.struct.map(each => each.type)
  return 'list' in type ? [type.list] : [type.map.key, type.map.value]
}
