import type { Binding } from '../columns/binding.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import type { RecordCursor } from '../record-batch.ts'
import type { Poison } from './dead-letter.ts'

/** The value of the record that was looked at last, by the names of its fields. */
export interface RecordValues {
  /**
   * Null, boolean, number, bigint, string or Buffer; Map, array and plain object for what is nested; undefined for no such
   * field. 64-bit integers are bigints, timestamps are Dates.
   */
  value(field: string): unknown
}

/** Reads the values of one entry's records into columns: one per entry and partition, so that it may remember. */
export interface ValueReader extends RecordValues {
  /**
   * Looks at a record's value as a whole, so that `append` cannot fail half-way. Gives why it cannot be a row, or what must
   * happen first; undefined when it can be appended. A tombstone (length -1) always can: it has no fields.
   */
  check(cursor: RecordCursor): Poison | Pending | undefined
  /** The fields of the record that was looked at; the same array for records of the same schema. */
  readonly fields: readonly Field[]
  /** Version of the record's schema in its subject, when there is such a thing. */
  readonly schemaVersion: number | undefined
  /**
   * Appends the record to the columns that its fields are bound to, nested ones whole (fields of structs that the record
   * lacks are null there). Top-level columns without a binding are the caller's.
   */
  append(rows: RowGroupBuffer, bindings: readonly Binding[]): void
}

/** Where a reader's records come from, and where they go. */
export interface ReaderPlace {
  readonly topic: string
  /** The columns for fields of values that the table has or will have; the same array while nothing changes. */
  readonly known: () => readonly Field[]
}

/** A schema must be fetched first. */
export interface Pending {
  /** Settles when looking again is worth it; never rejects. */
  readonly ready: Promise<void>
  /** What is in the way now, when the last attempt failed: a short code for people. */
  readonly trouble: string | undefined
}
