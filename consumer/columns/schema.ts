/** Column types of a table, in the words of Delta and Iceberg. */
export type ColumnType = Primitive | NestedType

export type Primitive =
  | 'string'
  | 'binary'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  /** Microseconds since 1970 in UTC. */
  | 'timestamp'
  /** Microseconds since 1970 on a clock of no known zone. */
  | 'timestampNtz'
  /** Microseconds since midnight, of no known zone. */
  | 'time'
  /** Days since 1970. */
  | 'date'
  | 'uuid'
  | { readonly decimal: DecimalType }
  /** So many bytes in each value. */
  | { readonly fixed: number }

/** At most 38 digits, `scale` of them after the point; values are kept as whole numbers of the last digit ("unscaled"). */
export interface DecimalType {
  readonly precision: number
  readonly scale: number
}

export type NestedType =
  | { readonly struct: readonly Field[] }
  | { readonly list: ColumnType; readonly elementNullable: boolean }
  | { readonly map: { readonly key: ColumnType; readonly value: ColumnType; readonly valueNullable: boolean } }

export const isNested = (type: ColumnType): type is NestedType =>
  typeof type === 'object' && ('struct' in type || 'list' in type || 'map' in type)

export interface Field {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  /** Says what the column holds; kept in the table's own metadata. */
  readonly comment?: string
  /** Its least and greatest value would help nobody to skip a file: they are not gathered. */
  readonly unbounded?: true
  /** Text that is one JSON value: VARIANT in Snowflake. */
  readonly isJson?: true
  /** The sink needs it beside the rows; the table itself does not have it. */
  readonly isStagedOnly?: true
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
