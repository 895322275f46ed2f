import type { ColumnType, Field, TableSchema } from '../../columns/schema.ts'
import type { Action } from './actions.ts'

const field = (name: string, type: ColumnType): Field => ({ name, type, nullable: true })
const texts: ColumnType = { map: { key: 'string', value: 'string', valueNullable: true } }
const list: ColumnType = { list: 'string', elementNullable: true }

/** A classic checkpoint (PROTOCOL.md, "Checkpoint Schema"): one action per row. `stats` stays JSON. */
export const CHECKPOINT_SCHEMA: TableSchema = {
  partitionBy: [],
  fields: [
    field('txn', { struct: [field('appId', 'string'), field('version', 'long'), field('lastUpdated', 'long')] }),
    field('add', {
      struct: [
        field('path', 'string'),
        field('partitionValues', texts),
        field('size', 'long'),
        field('modificationTime', 'long'),
        field('dataChange', 'boolean'),
        field('stats', 'string'),
        field('tags', texts)
      ]
    }),
    field('remove', {
      struct: [
        field('path', 'string'),
        field('deletionTimestamp', 'long'),
        field('dataChange', 'boolean'),
        field('extendedFileMetadata', 'boolean'),
        field('partitionValues', texts),
        field('size', 'long')
      ]
    }),
    field('metaData', {
      struct: [
        field('id', 'string'),
        field('name', 'string'),
        field('description', 'string'),
        field('format', { struct: [field('provider', 'string'), field('options', texts)] }),
        field('schemaString', 'string'),
        field('partitionColumns', list),
        field('configuration', texts),
        field('createdTime', 'long')
      ]
    }),
    field('protocol', {
      struct: [
        field('minReaderVersion', 'int'),
        field('minWriterVersion', 'int'),
        field('readerFeatures', list),
        field('writerFeatures', list)
      ]
    })
  ]
}

/** An action as a row: absent is null, 64-bit numbers are bigint. Adds in a checkpoint say no data change. */
export function checkpointRow({ txn, add, remove, metaData, protocol }: Action): Readonly<Record<string, unknown>> {
  if (txn) return { txn: { ...txn, version: long(txn.version), lastUpdated: long(txn.lastUpdated) } }
  if (add) {
    const { path, partitionValues, stats, tags } = add
    const [size, modificationTime] = [long(add.size), long(add.modificationTime)]
    return { add: { path, partitionValues, size, modificationTime, dataChange: false, stats, tags } }
  }
  if (remove) {
    const { path, partitionValues, extendedFileMetadata } = remove
    const [size, deletionTimestamp] = [long(remove.size), long(remove.deletionTimestamp)]
    return { remove: { path, deletionTimestamp, dataChange: false, extendedFileMetadata, partitionValues, size } }
  }
  if (metaData) return { metaData: { ...metaData, createdTime: long(metaData.createdTime) } }
  return { protocol }
}

const long = (value: number | bigint | null | undefined): bigint | undefined =>
  value === null || value === undefined ? undefined : BigInt(value)
