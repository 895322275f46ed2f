import { FatalError } from '../../../lib/errors.ts'
import type { PartitionField, Primitive, Transform } from '../../columns/schema.ts'
import { parseTransform, resultType, transformName } from '../../columns/transforms.ts'
import { asInteger, asList, asObject, asText } from './checked.ts'
import { currentSchema, currentSpec, type TableMetadata } from './metadata.ts'
import { fieldNamed, primitiveName, primitiveType, type IcebergField, type IcebergSchema } from './schema.ts'

/** A partition spec as its JSON (spec, Appendix C). */
export interface PartitionSpec {
  readonly 'spec-id': number
  readonly fields: readonly SpecField[]
}

export interface SpecField {
  /** Absent when a transform takes several columns; no such transform is known. */
  readonly 'source-id'?: number
  readonly 'field-id': number
  readonly name: string
  readonly transform: string
}

/** A field of the tuple of values that all rows of a file share. */
export interface TupleField {
  readonly id: number
  readonly name: string
  readonly transform: Transform
  /** Column that is transformed. */
  readonly column: string
  readonly sourceType: Primitive
  /** Of the values. */
  readonly type: Primitive
}

/** Ids of partition fields begin here. */
const FIRST_FIELD_ID = 1000

/** The spec of a table that is created. FatalError `InvalidPartitioning` when a transform does not apply to its column. */
export function partitionSpec(schema: IcebergSchema, fields: readonly PartitionField[], table: string): PartitionSpec {
  const spec: PartitionSpec = {
    'spec-id': 0,
    fields: fields.map(({ column, transform, name }, index) => {
      const source = fieldNamed(schema.fields, column)
      const type = source && typeof source.type === 'string' ? primitiveType(source.type) : undefined
      if (source === undefined || type === undefined || resultType(transform, type) === undefined)
        throw new FatalError(
          'InvalidPartitioning',
          `Table ${table} cannot be partitioned by ${transformName(transform)} of ${column}${type ? `, which is of type ${primitiveName(type)}` : ''}. Create the pipeline with another spec.sink.iceberg.partitionBy.`
        )
      return { 'source-id': source.id, 'field-id': FIRST_FIELD_ID + index, name, transform: transformName(transform) }
    })
  }
  return spec
}

/**
 * The table's current spec, when it partitions as ours does: names of fields do not matter. An existing table keeps its
 * own: FatalError `IncompatibleTable` names both.
 */
export function checkSpec(metadata: TableMetadata, ours: readonly PartitionField[], table: string): PartitionSpec {
  const spec = currentSpec(metadata)
  const { fields } = currentSchema(metadata)
  const theirs = spec.fields.map(field => `${field.transform}(${sourceOf(field, fields)?.name ?? '?'})`)
  const wanted = ours.map(({ column, transform }) => `${transformName(transform)}(${column})`)
  const isSame =
    theirs.length === wanted.length &&
    theirs.every((each, index) => each.toLowerCase() === (wanted[index] ?? '').toLowerCase())
  if (isSame) return spec
  const named = (texts: readonly string[]) => (texts.length === 0 ? 'nothing' : texts.join(', '))
  throw new FatalError(
    'IncompatibleTable',
    `Iceberg table ${table} is partitioned by ${named(theirs)}, the pipeline asks for ${named(wanted)}. Change the table's partition spec to that of the pipeline, give the table to a pipeline whose spec.sink.iceberg.partitionBy is what it has, or name another table in spec.topics[].table.`
  )
}

/** What the values of a spec's tuples are. Undefined when a transform or a column is not one that we can compute. */
export function tupleFields(spec: PartitionSpec, schema: IcebergSchema): readonly TupleField[] | undefined {
  const tuple: TupleField[] = []
  for (const field of spec.fields) {
    const source = sourceOf(field, schema.fields)
    const transform = parseTransform(field.transform)
    const sourceType = typeof source?.type === 'string' ? primitiveType(source.type) : undefined
    const type = transform && sourceType && resultType(transform, sourceType)
    if (source === undefined || transform === undefined || sourceType === undefined || type === undefined)
      return undefined
    tuple.push({ id: field['field-id'], name: field.name, transform, column: source.name, sourceType, type })
  }
  return tuple
}

const sourceOf = (field: SpecField, fields: readonly IcebergField[]): IcebergField | undefined =>
  fields.find(({ id }) => id === field['source-id'])

/** Throws Malformed. */
export function parsePartitionSpec(value: unknown): PartitionSpec {
  const json = asObject(value, 'partition spec')
  asInteger(json['spec-id'], 'spec-id')
  for (const each of asList(json['fields'], 'fields of a partition spec')) {
    const field = asObject(each, 'partition field')
    const name = asText(field['name'], 'name of a partition field')
    asText(field['transform'], `transform of partition field ${name}`)
    asInteger(field['field-id'], `field-id of partition field ${name}`)
    if (field['source-ids'] === undefined) asInteger(field['source-id'], `source-id of partition field ${name}`)
  }
  return json as unknown as PartitionSpec
}
