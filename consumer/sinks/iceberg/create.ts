import type { TableSchema } from '../../columns/schema.ts'
import { partitionSpec } from './partition-spec.ts'
import { icebergSchema } from './schema.ts'
import { sortOrder } from './sort-order.ts'

/**
 * The body of a request that creates a table (REST protocol, `CreateTableRequest`). The catalog may give other ids: the
 * metadata that it answers with counts. FatalError for columns or partitioning that no Iceberg table can have.
 */
export function createRequest(options: {
  /** With its namespace, for messages. */
  readonly table: string
  /** Without it. */
  readonly name: string
  readonly schema: TableSchema
  /** The catalog's own choice when undefined. */
  readonly location: string | undefined
  readonly formatVersion: 2 | 3
}): object {
  const { table, name, schema, location, formatVersion } = options
  const ours = icebergSchema(schema, table)
  return {
    name,
    ...(location === undefined ? {} : { location }),
    schema: ours,
    'partition-spec': partitionSpec(ours, schema.partitionFields ?? [], table),
    'write-order': sortOrder(ours, schema.sortBy ?? []),
    'stage-create': false,
    properties: { 'format-version': String(formatVersion), ...PROPERTIES }
  }
}

const PROPERTIES = {
  'write.format.default': 'parquet',
  'write.parquet.compression-codec': 'zstd',
  // Every commit writes a new metadata file: without this they would all stay.
  'write.metadata.delete-after-commit.enabled': 'true',
  'write.metadata.previous-versions-max': '100'
}
