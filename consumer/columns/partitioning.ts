import { partitionFieldName } from '../../crds/partition-field.ts'
import type { MetadataColumn, MetadataSource, PartitionSpec, S3Sink } from '../../crds/settled.ts'
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

/** What tells rows apart whose own time is in the paths of their objects: the least part of the time that the path has. */
export function pathFields(
  { path, pathTime }: Pick<S3Sink, 'path' | 'pathTime'>,
  columns: readonly MetadataColumn[]
): readonly PartitionField[] {
  const least = PATH_TIMES.find(({ placeholder }) => path.includes(placeholder))
  if (pathTime !== 'Timestamp' || least === undefined) return []
  const column = columns.find(({ source }) => source === 'Timestamp')?.name
  if (column === undefined) {
    throw new FatalError(
      'InvalidPipeline',
      'Paths are made of the records’ Timestamp, and metadataColumns omits it. Keep the column, or change sink.s3.pathTime.'
    )
  }
  return [{ column, transform: least.transform, name: partitionFieldName(column, least.name) }]
}

const PATH_TIMES = [
  { placeholder: '{HH}', transform: 'hour', name: 'Hour' },
  { placeholder: '{dd}', transform: 'day', name: 'Day' },
  { placeholder: '{MM}', transform: 'month', name: 'Month' },
  { placeholder: '{yyyy}', transform: 'year', name: 'Year' }
] as const

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
