import type { PartitionFieldSpec } from './pipeline.ts'

const SUFFIX: Readonly<Record<PartitionFieldSpec['transform'], string>> = {
  Identity: '',
  Year: '_year',
  Month: '_month',
  Day: '_day',
  Hour: '_hour',
  Bucket: '_bucket',
  Truncate: '_trunc'
}

/** The name of an Iceberg partition field, as engines make it from its column. */
export const partitionFieldName = (column: string, transform: PartitionFieldSpec['transform']): string =>
  `${column}${SUFFIX[transform]}`
