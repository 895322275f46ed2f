import { asInteger, asList, asObject, asText } from './checked.ts'
import { currentSchema, type TableMetadata } from './metadata.ts'
import { fieldNamed, type IcebergSchema } from './schema.ts'

/** A sort order as its JSON (spec, Appendix C). */
export interface SortOrder {
  readonly 'order-id': number
  readonly fields: readonly SortField[]
}

export interface SortField {
  readonly transform: string
  readonly 'source-id'?: number
  readonly direction: 'asc' | 'desc'
  readonly 'null-order': 'nulls-first' | 'nulls-last'
}

/** Reserved for no order. */
const UNSORTED: SortOrder = { 'order-id': 0, fields: [] }

/** The order of a table that is created. Columns that it lacks end the order: what follows one is in no order by itself. */
export function sortOrder(schema: IcebergSchema, sortBy: readonly string[]): SortOrder {
  const fields: SortField[] = []
  for (const name of sortBy) {
    const source = fieldNamed(schema.fields, name)
    if (source === undefined) break
    fields.push({ transform: 'identity', 'source-id': source.id, direction: 'asc', 'null-order': 'nulls-first' })
  }
  return fields.length === 0 ? UNSORTED : { 'order-id': 1, fields }
}

/**
 * The id of the longest of the table's orders that files in our order keep; undefined when there is none. Files are not
 * sorted anew: the specification does not ask a streaming writer to.
 */
export function sortOrderIdFor(metadata: TableMetadata, sortBy: readonly string[]): number | undefined {
  const ours = sortOrder(currentSchema(metadata), sortBy).fields
  const kept = metadata.sortOrders.filter(
    ({ fields }) => fields.length > 0 && fields.every((field, index) => isSame(field, ours[index]))
  )
  return kept.sort((a, b) => b.fields.length - a.fields.length)[0]?.['order-id']
}

const isSame = (theirs: SortField, ours: SortField | undefined): boolean =>
  ours !== undefined &&
  theirs['source-id'] === ours['source-id'] &&
  theirs.transform === ours.transform &&
  theirs.direction === ours.direction &&
  theirs['null-order'] === ours['null-order']

/** Throws Malformed. */
export function parseSortOrder(value: unknown): SortOrder {
  const json = asObject(value, 'sort order')
  asInteger(json['order-id'], 'order-id')
  for (const each of asList(json['fields'], 'fields of a sort order')) {
    const field = asObject(each, 'sort field')
    for (const name of ['transform', 'direction', 'null-order']) asText(field[name], `${name} of a sort field`)
    if (field['source-ids'] === undefined) asInteger(field['source-id'], 'source-id of a sort field')
  }
  return json as unknown as SortOrder
}
