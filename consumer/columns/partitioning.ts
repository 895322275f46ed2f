import { partitionFieldName } from '../../crds/partition-field.ts'
import type { MetadataColumn, MetadataSource, PartitionSpec } from '../../crds/settled.ts'
import { FatalError, invariant } from '../../lib/errors.ts'
import type { PartitionField, Transform } from './schema.ts'

/** The columns that partition a Delta table. */
export function hivePartitions(by: 'None' | 'Date' | 'Hour', columns: readonly MetadataColumn[]): readonly string[] {
  const sources = by === 'None' ? [] : by === 'Date' ? ['IngestionDate'] : ['IngestionDate', 'IngestionHour']
  return sources.map(source => {
    const found = columns.find(column => column.source === source)
    invariant(found !== undefined, `a table partitioned by ${by} has the column ${source}`)
    return found.name
  })
}

/** The partition spec of an Iceberg table, its fields named as engines name them. */
export function partitionFields(
  specs: readonly PartitionSpec[],
  columns: readonly MetadataColumn[]
): readonly PartitionField[] {
  return specs.map(spec => {
    const column = columns.find(({ source }) => source === spec.source)?.name
    if (column === undefined) {
      throw new FatalError(
        'InvalidPipeline',
        `The table is partitioned by ${spec.source}, and metadataColumns omits it. Keep the column, or change sink.iceberg.partitionBy.`
      )
    }
    return { column, transform: transformOf(spec), name: partitionFieldName(column, spec.transform) }
  })
}

/** Rows of a file ascend by where they come from: as far as the table has the columns. */
export function sortColumns(columns: readonly MetadataColumn[]): readonly string[] {
  const sources: readonly MetadataSource[] = ['Topic', 'Partition', 'Offset']
  const names = sources.map(source => columns.find(column => column.source === source)?.name)
  const end = names.indexOf(undefined)
  return names.slice(0, end < 0 ? names.length : end).filter(name => name !== undefined)
}

function transformOf({ transform, width = 1 }: PartitionSpec): Transform {
  if (transform === 'Bucket') return { bucket: width }
  return transform === 'Truncate' ? { truncate: width } : PLAIN[transform]
}

const PLAIN = { Identity: 'identity', Year: 'year', Month: 'month', Day: 'day', Hour: 'hour' } as const
