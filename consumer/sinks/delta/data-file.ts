import type { Clock } from '../../../lib/clock.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import type { Field, TableSchema } from '../../columns/schema.ts'
import { encodeParquet } from '../../parquet/file.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import type { Constant } from '../constants.ts'
import type { DataFile, Metadata } from './actions.ts'
import { formatStats, indexedColumns } from './stats.ts'

/**
 * Encodes one file of groups of one schema, a row group per Kafka partition in the order given (so that offsets prune), and
 * uploads it under a name that nobody else uses. Partition columns are in the path and the log, not in the file.
 */
export async function writeDataFile(
  groups: readonly RowGroupBuffer[],
  options: {
    readonly store: ObjectStore
    readonly schema: TableSchema
    readonly metadata: Metadata | undefined
    readonly constants: ReadonlyMap<string, Constant>
    /** Unique among all files of the table. */
    readonly id: string
    readonly clock: Clock
  }
): Promise<DataFile> {
  const { store, schema, metadata, constants, id, clock } = options
  const partitions = schema.partitionBy.map(name => fieldNamed(schema, name))
  for (const group of groups) {
    for (const [name, value] of constants) group.setConstant(name, value)
  }
  const file = encodeParquet(schema, groups)
  const partitionValues = Object.fromEntries(
    partitions.map(field => [field.name, partitionValue(field, constants.get(field.name))])
  )
  const folder = Object.entries(partitionValues).map(([name, value]) => `${name}=${value}/`)
  const path = `${folder.join('')}part-${id}.zstd.parquet`
  await store.put(path, file.chunks)
  return {
    path,
    partitionValues,
    sizeBytes: file.sizeBytes,
    rows: file.rows,
    modifiedMs: clock.now(),
    stats: formatStats(schema, file.rows, file.columns, indexedColumns(metadata))
  }
}

function fieldNamed(schema: TableSchema, name: string): Field {
  const field = schema.fields.find(each => each.name === name)
  if (field === undefined) throw new Error(`broken invariant: partition column ${name} is in the schema`)
  return field
}

/** Text of a partition value (PROTOCOL.md, "Partition Value Serialization"). */
function partitionValue({ name, type }: Field, value: Constant | undefined): string {
  if (value === undefined) throw new Error(`broken invariant: partition column ${name} has a value`)
  return type === 'date' ? new Date(Number(value) * 86_400_000).toISOString().slice(0, 10) : String(value)
}
