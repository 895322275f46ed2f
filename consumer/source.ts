import type { EndAt, StartFrom } from '../crds/settled.ts'
import type { Partition, PartitionId } from './partition.ts'
import type { RecordBatch } from './record-batch.ts'

/** Where records come from: group membership and whole record batches. Its positions are set by `seek` alone. */
export interface Source {
  /** Connects, finds the topics, joins the group. FatalError for credentials or topics that can never work. */
  open(): Promise<void>
  /**
   * What happened since the last call; waits at most `maxWaitMs` for something to. Without `wantsBatches` what was
   * fetched stays undecompressed where it is. Handles assignment before batches: a
   * batch of a revoked partition is never returned. Partitions are fetched only once sought and while not paused.
   * Throws RetryableError when the cluster cannot be reached; the source stays usable.
   */
  poll(maxWaitMs: number, wantsBatches: boolean): Promise<Poll>
  /** Sets where to fetch next; what was fetched before for these partitions is discarded. */
  seek(positions: ReadonlyMap<PartitionId, number>): void
  /** Backpressure: only partitions for which this returns true are fetched. Asked before each fetch. */
  setGate(isOpen: (partition: PartitionId) => boolean): void
  /** The offsets at which `startFrom` begins, for every partition of the topic, assigned here or not. */
  resolveStart(topic: string, startFrom: StartFrom): Promise<ReadonlyMap<number, number>>
  /** Where `endAt` ends, for every partition of the topic, assigned here or not. Throws RetryableError. */
  resolveEnds(topic: string, endAt: EndAt): Promise<ReadonlyMap<number, End>>
  /** The first offset the broker still has, per partition asked for. */
  logStarts(partitions: readonly Partition[]): Promise<ReadonlyMap<PartitionId, number>>
  /**
   * Reports next offsets to the group, for people and lag tools; never for correctness. False when the group did not take
   * them, as in the middle of a rebalance: worth another try later.
   */
  report(offsets: ReadonlyMap<PartitionId, ReportedOffset>): Promise<boolean>
  /** What the group holds for these partitions now; absent where it holds nothing (or has expired it). */
  reported(partitions: readonly Partition[]): Promise<ReadonlyMap<PartitionId, ReportedOffset>>
  /** Whether this process is a member of its group now, with or without partitions. */
  isMember(): boolean
  /** How far each assigned partition is behind the last stable offset, as of the last fetch. */
  lags(): ReadonlyMap<PartitionId, { readonly endOffset: number; readonly logStart: number; readonly position: number }>
  /**
   * Before a stop: keeps what it has and stays a member, but takes part in no further rebalance. Members that stop together
   * would else hand partitions to each other that they hand on at once.
   */
  retire(): void
  /** Leaves the group explicitly (`leave`) or just disconnects, and closes every connection. */
  close(options: { leave: boolean }): Promise<void>
}

export interface ReportedOffset {
  readonly nextOffset: number
  /** At most 1 KiB; see `crds/report.ts`. */
  readonly metadata: string
}

export interface End {
  /** The first offset that is not read. */
  readonly offset: number
  /** False: all below is wanted, and what comes later may be too; to be asked again there. */
  readonly isFinal: boolean
}

export interface Poll {
  /** Newly ours: to be recovered from the table and sought. */
  readonly assigned: readonly Partition[]
  readonly revoked: readonly Partition[]
  /** In offset order within each partition. */
  readonly batches: readonly RecordBatch[]
  /** Partitions that cannot be read on where they are; not fetched again until sought. */
  readonly losses: readonly SourceLoss[]
}

/**
 * The source no longer has what the table expects next. Any other gap in offsets is Kafka's own (compaction, aborted
 * transactions, control records) and is not a loss.
 */
export interface SourceLoss {
  readonly partition: Partition
  /** Truncated: log start > next. BeyondEnd: next > log end. Recreated: other topic id. Diverged: by leader epoch. */
  readonly kind: 'Truncated' | 'BeyondEnd' | 'Recreated' | 'Diverged'
  readonly nextOffset: number
  /** Where reading can go on. */
  readonly resumeOffset: number
  readonly message: string
}
