/** Column types of a table, in the words of Delta and Iceberg; timestamps are microseconds in UTC. */
export type ColumnType =
  | 'string'
  | 'binary'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | 'date'
  | { readonly struct: readonly Field[] }
  | { readonly list: ColumnType; readonly elementNullable: boolean }
  | { readonly map: { readonly key: ColumnType; readonly value: ColumnType; readonly valueNullable: boolean } }

export interface Field {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  /** Says what the column holds; kept in the table's own metadata. */
  readonly comment?: string
  /** Its least and greatest value would help nobody to skip a file: they are not gathered. */
  readonly unbounded?: true
}

export interface TableSchema {
  readonly fields: readonly Field[]
  /** Names of the fields that partition a Delta table; they are constant within a batch and not written into data files. */
  readonly partitionBy: readonly string[]
  /** How an Iceberg table is partitioned: every file holds rows of one tuple of values. */
  readonly partitionFields?: readonly PartitionField[]
  /** Columns by which rows of a file ascend, when they do. */
  readonly sortBy?: readonly string[]
}

/** Iceberg spec, "Partition Transforms". */
export type Transform =
  | 'identity'
  | 'year'
  | 'month'
  | 'day'
  | 'hour'
  | { readonly bucket: number }
  | { readonly truncate: number }

export interface PartitionField {
  /** Name of the column that is transformed; it stays in the data file. */
  readonly column: string
  readonly transform: Transform
  /** Name of the partition field, as engines name them: `_kafka_timestamp_hour`. */
  readonly name: string
}
