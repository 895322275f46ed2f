import type { Batch } from './batch.ts'
import type { ColumnType } from './columns/schema.ts'
import type { PartitionId, TableOffset } from './partition.ts'

/**
 * One bronze table and its dead-letter table. The table itself remembers which offsets it holds (law 1); data and next
 * offsets become visible in one atomic step.
 */
export interface Sink {
  /** Creates or checks the table and its dead-letter table. FatalError when they can never take these columns. */
  open(): Promise<void>
  /**
   * Reads the table's own truth, publishes dead letters whose main commit is in but which are not yet in their table,
   * and forgets whatever was staged. `topics` are the topics whose keys are wanted. FatalError `RolledBack` when the
   * table was restored to before our last commit.
   */
  recover(topics: readonly string[]): Promise<Recovered>
  /**
   * Uploads a batch; nothing is visible yet. What it returns is serialisable: any member could commit it. Columns of the
   * batch that the table lacks are added, and those that are wider in the batch are widened, here or by the commit.
   * RetryableError `SchemaMoved` when the table has got a column that cannot take ours since it was recovered.
   */
  stage(batch: Batch): Promise<Staged>
  /**
   * Makes staged batches visible in one step, rebasing over strangers' commits. Throws RetryableError when the outcome
   * is unknown even after looking for our own commit; FatalError when the table no longer accepts us.
   */
  commit(staged: readonly Staged[]): Promise<CommitOutcome>
  /** We are about to stop: a commit that waits for a cheaper moment goes on at once, and none waits any more. */
  hurry?(): void
  close(): Promise<void>
}

export interface Recovered {
  /** The columns that the table has now. */
  readonly columns: readonly TableColumn[]
  /** The newest epoch's entry for each partition that has one. */
  readonly offsets: ReadonlyMap<PartitionId, TableOffset>
  /** The newest incarnation of each topic the table knows. */
  readonly topics: ReadonlyMap<string, { readonly topicId: string; readonly epoch: number }>
}

/** A column as it is in the table, whoever made it. */
export interface TableColumn {
  readonly name: string
  /** Undefined when we cannot write the type. */
  readonly type: ColumnType | undefined
  readonly nullable: boolean
  /** Text that is one JSON value each, of any kind (VARIANT): any field lands there, as JSON. */
  readonly isJson?: true
  /** Whole numbers of up to 38 digits, which 64-bit integers and decimals are both kept in as they are. */
  readonly isWhole?: true
}

/** Data that lies in the store and what a commit of it claims. Plain JSON. */
export interface Staged {
  readonly commitId: string
  readonly takenAtMs: number
  readonly ranges: readonly StagedRange[]
  /** The sink's own description of the uploaded files. */
  readonly files: unknown
}

export interface StagedRange {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly epoch: number
  readonly expectedOffset: number | undefined
  readonly nextOffset: number
  readonly records: number
  readonly deadLetters: number
}

export type CommitOutcome =
  | { readonly status: 'committed'; readonly version: string }
  /** The table's offsets are not where we left them: we are the zombie for these partitions. */
  | { readonly status: 'fenced'; readonly partitions: readonly PartitionId[]; readonly by: CommitAuthor | undefined }

/** Who wrote a commit, as it says itself; for information and for the `TableOwnedByOther` rule. */
export interface CommitAuthor {
  readonly pipeline: string
  readonly createdAt: string | undefined
  readonly consumerId: string
}
