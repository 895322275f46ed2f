import { isNested, type ColumnType, type Primitive, type TableSchema } from '../consumer/columns/schema.ts'
import type { SettledSink } from '../crds/settled.ts'

/** A column of a table, for people. */
export interface TableColumnText {
  readonly name: string
  readonly type: string
}

/** A type as the table format's own users write it: Delta's as Spark SQL does, the others' by the words of their format. */
function typeText(type: ColumnType, kind: SettledSink['kind']): string {
  if (!isNested(type)) return primitiveText(type, kind)
  const text = (inner: ColumnType) => typeText(inner, kind)
  if ('struct' in type)
    return `struct<${type.struct.map(({ name, type: inner }) => `${name}: ${text(inner)}`).join(', ')}>`
  if ('list' in type) return `${kind === 'delta' ? 'array' : 'list'}<${text(type.list)}>`
  return `map<${text(type.map.key)}, ${text(type.map.value)}>`
}

function primitiveText(type: Primitive, kind: SettledSink['kind']): string {
  if (typeof type === 'string') return (WORDS[kind] ?? {})[type] ?? type
  return 'fixed' in type ? `fixed[${type.fixed}]` : `decimal(${type.decimal.precision}, ${type.decimal.scale})`
}

type Words = Readonly<Partial<Record<Extract<Primitive, string>, string>>>

const WORDS: Readonly<Partial<Record<SettledSink['kind'], Words>>> = {
  delta: { long: 'bigint', timestampNtz: 'timestamp_ntz' },
  iceberg: { timestamp: 'timestamptz', timestampNtz: 'timestamp' }
}

export const columnTexts = (
  { fields }: Pick<TableSchema, 'fields'>,
  kind: SettledSink['kind']
): readonly TableColumnText[] =>
  fields
    .filter(({ isStagedOnly }) => isStagedOnly !== true)
    .map(({ name, type, isJson }) => ({ name, type: isJson === true ? 'json' : typeText(type, kind) }))
