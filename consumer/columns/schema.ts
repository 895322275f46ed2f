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
  /** Names of the fields that partition the table; they are constant within a batch and not written into data files. */
  readonly partitionBy: readonly string[]
}
