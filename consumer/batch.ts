import type { Partition } from './partition.ts'
import type { RowGroupBuffer } from './columns/row-group.ts'

/** What one table receives in one commit from one consumer: rows, dead letters and the offsets that cover both. */
export interface Batch {
  /** Unique per commit; how an unknown outcome is resolved. */
  readonly commitId: string
  /** When the batch was taken: the `_ingested_at` of all its rows. */
  readonly takenAtMs: number
  /** At most one per partition, ordered by topic and partition. */
  readonly parts: readonly BatchPart[]
}

export interface BatchPart {
  readonly partition: Partition
  readonly epoch: number
  /** What the table must hold for this key now, else the commit is fenced; undefined: it must hold none. */
  readonly expectedOffset: number | undefined
  readonly nextOffset: number
  /**
   * None when only the offset moves. Several when columns were added on the way, or when the table's partitioning tells rows
   * apart: row groups of one file must have one schema and one tuple of partition values.
   */
  readonly rows: readonly RowGroupBuffer[]
  /** Absent when nothing was bad, or when the policy keeps dead letters elsewhere. */
  readonly deadLetters: RowGroupBuffer | undefined
}
