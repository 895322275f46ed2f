/** What a base type stands for, by its `logicalType` (Avro 1.12, "Logical Types"). */
export type Logical =
  | 'date'
  | 'timeMillis'
  | 'timeMicros'
  | 'timestampMillis'
  | 'timestampMicros'
  | 'timestampNanos'
  | 'localTimestampMillis'
  | 'localTimestampMicros'
  | 'localTimestampNanos'
  | 'uuid'
  | { readonly precision: number; readonly scale: number }

export type PrimitiveKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

/** A schema whose names are resolved. A record may contain itself: compare records by identity. */
export type AvroType =
  | { readonly kind: PrimitiveKind; readonly logical?: Logical }
  | { readonly kind: 'fixed'; readonly name: string; readonly sizeBytes: number; readonly logical?: Logical }
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly values: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | AvroRecord

export interface AvroRecord {
  readonly kind: 'record'
  /** With its namespace. */
  readonly name: string
  readonly fields: readonly AvroField[]
}

export interface AvroField {
  readonly name: string
  readonly type: AvroType
  readonly doc: string | undefined
}

/** Types that others can refer to, by full name. */
export type NamedType = Extract<AvroType, { readonly name: string }>
