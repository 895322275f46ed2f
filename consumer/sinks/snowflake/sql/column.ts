import type { Field } from '../../../columns/schema.ts'
import { foldColumn, quoted } from './identifier.ts'
import { snowflakeType, type StagedType } from './types.ts'

/** A field of ours with the column it goes to. */
export interface Column {
  readonly field: Field
  /** Folded. */
  readonly name: string
  /** As statements call it. */
  readonly ref: string
  /** The type that the table's column has, or will have. */
  readonly type: string
  /** What the member of a line is cast to first. */
  readonly staged: StagedType
  /** What a column that others made takes besides, and ours of that type. */
  readonly limits: ColumnLimits
}

export interface ColumnLimits {
  /** Characters of VARCHAR(n), bytes of BINARY(n); undefined when no value can be longer. */
  readonly maxLength?: number
  readonly isNotNull?: true
}

/** The column that we would make. Of an empty type there is no limit that we know. */
export function newColumn(field: Field): Column {
  const name = foldColumn(field.name)
  const { name: type, staged } = snowflakeType(field)
  return { field, name, ref: quoted(name), type, staged, limits: {} }
}
