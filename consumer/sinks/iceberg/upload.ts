import { atOnce } from '../../../lib/at-once.ts'
import { FatalError, invariant } from '../../../lib/errors.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import type { TableSchema } from '../../columns/schema.ts'
import { transformed, tupleKey, type PartitionValue } from '../../columns/transforms.ts'
import { encodeParquet } from '../../parquet/file.ts'
import type { Constant } from '../constants.ts'
import { dataFile, type DataFile } from './data-file.ts'
import { fieldIds } from './field-paths.ts'
import { addedEntries, encodeManifest } from './manifest.ts'
import { newManifest, type NewManifest } from './manifest-list.ts'
import { currentSchema, dataLocation, metadataLocation } from './metadata.ts'
import { partitionPath } from './partition-path.ts'
import { checkSpec, tupleFields, type TupleField } from './partition-spec.ts'
import { sortOrderIdFor } from './sort-order.ts'
import type { IcebergTable } from './table.ts'

export interface Upload {
  readonly groups: readonly RowGroupBuffer[]
  /** Columns with one value in all rows, by their names. */
  readonly constants: ReadonlyMap<string, Constant>
  readonly commitId: string
}

/** A commit by key or offset writes up to 64 files. */
const UPLOADS_AT_ONCE = 8

/**
 * Encodes and uploads one file per schema and tuple of partition values, and one manifest that names them all. The table is
 * made to take the columns first: files carry the ids that it gave them. Row groups keep their order, by topic, partition
 * and offset, so that offsets prune.
 */
export async function uploadFiles(table: IcebergTable, upload: Upload): Promise<readonly NewManifest[]> {
  const { groups, constants, commitId } = upload
  if (groups.length === 0) return []
  for (const [name, value] of constants) for (const group of groups) group.setConstant(name, value)
  const schemas = [...new Set(groups.map(({ schema }) => schema))]
  for (const schema of schemas) await table.evolve(schema)
  const { metadata } = table
  const schema = currentSchema(metadata)
  const spec = checkSpec(metadata, schemas[0]?.partitionFields ?? [], table.name)
  const tuple = tupleFields(spec, schema)
  if (tuple === undefined)
    throw new FatalError(
      'UnsupportedTable',
      `Iceberg table ${table.name} is partitioned by a transform that Bronze Operator does not know. Name another table in spec.topics[].table.`
    )
  const write = async ({ ours, values, members }: FileOfRows, index: number): Promise<DataFile> => {
    const file = encodeParquet(ours, members, { fieldIds: fieldIds(schema, ours) })
    const path = `${dataLocation(metadata)}/${partitionPath(tuple, values)}${commitId}-${index}.parquet`
    await table.files.put(path, file.chunks)
    const sortOrderId = sortOrderIdFor(metadata, ours.sortBy ?? [])
    return dataFile({ path, file, partition: values, ours, schema, properties: metadata.properties, sortOrderId })
  }
  const files = await atOnce(UPLOADS_AT_ONCE, filesOf(groups, tuple, constants), write)
  const entries = addedEntries(files)
  const bytes = encodeManifest({ metadata, schema, spec, entries })
  const path = `${metadataLocation(metadata)}/${commitId}-m0.avro`
  await table.files.put(path, [bytes])
  return [newManifest({ path, bytes: bytes.length, specId: spec['spec-id'], entries, types: tuple })]
}

interface FileOfRows {
  readonly ours: TableSchema
  readonly values: readonly PartitionValue[]
  readonly members: RowGroupBuffer[]
}

function filesOf(
  groups: readonly RowGroupBuffer[],
  tuple: readonly TupleField[],
  constants: ReadonlyMap<string, Constant>
): readonly FileOfRows[] {
  const files: FileOfRows[] = []
  for (const group of groups) {
    const values = tuple.map(({ column, transform, sourceType }, index) => {
      if (constants.has(column)) return transformed(transform, sourceType, constants.get(column))
      const value = group.partitionValues[index]
      invariant(value !== undefined, `rows are told apart by ${column}`)
      return value
    })
    const key = tupleKey(values)
    const file = files.find(each => each.ours === group.schema && tupleKey(each.values) === key)
    if (file === undefined) files.push({ ours: group.schema, values, members: [group] })
    else file.members.push(group)
  }
  return files
}
