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
  /** Absent when only the offset moves. */
  readonly rows: RowGroupBuffer | undefined
  /** Absent when nothing was bad, or when the policy keeps dead letters elsewhere. */
  readonly deadLetters: RowGroupBuffer | undefined
}
