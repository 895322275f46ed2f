import type { SettledTopic } from '../crds/settled.ts'
import type { Decoder } from './decode/decoder.ts'
import type { PartitionBuffer } from './decode/partition-buffer.ts'
import type { Pending } from './decode/value-reader.ts'
import type { Partition, PartitionId } from './partition.ts'
import type { End } from './source.ts'

/** One assigned partition of one table: where it stands and what it has gathered. */
export interface Slot {
  readonly id: PartitionId
  /** Replaced when the topic is created anew. */
  partition: Partition
  readonly entry: SettledTopic
  readonly decoder: Decoder
  /** Unset until the table has told where the partition goes on, and again after any trouble. */
  place: SlotPlace | undefined
  /** After a truncation under our feet (`BeyondEnd`, `Diverged`): the next epoch begins at `resumeOffset`. */
  reopen: { readonly afterEpoch: number; readonly resumeOffset: number } | undefined
  /** Of an entry that ends, once it is known where: nothing at or beyond it is written. */
  end: End | undefined
  /** Dead letters of this partition so far, for the report. */
  deadLetters: number
  /** Timestamp of the newest record in the table, ms since the epoch; 0 while unknown. */
  recordTimestampMs: number
  /** Whether what an earlier owner reported to the group was read. */
  isReported: boolean
  /** The last commit of this partition that this process made. */
  lastCommit: { readonly atMs: number; readonly version: string } | undefined
  /** The last loss that `onDataLoss: Continue` went over. */
  dataLoss: { readonly kind: string; readonly atMs: number } | undefined
}

export interface SlotPlace {
  readonly epoch: number
  /** What the table holds; undefined: nothing under this key yet. */
  expectedOffset: number | undefined
  /** The next offset to append to the buffer. */
  nextOffset: number
  buffer: PartitionBuffer | undefined
  /** A commit of what came before the buffer is under way. */
  isCommitting: boolean
  /** What the record at `nextOffset` waits for. */
  blocked: Blocked | undefined
}

export interface Blocked {
  readonly pending: Pending
  isReady: boolean
  /** What came after was too much to keep: it must be fetched again. */
  mustSeek: boolean
}

/** Rows and dead letters held. */
export const rowCount = (buffer: PartitionBuffer | undefined): number =>
  buffer === undefined ? 0 : buffer.rowCount + buffer.deadLetterCount

/** How far the group may be told: nothing below is missing from the table. */
export function reportableOffset({ buffer, isCommitting, expectedOffset, nextOffset }: SlotPlace): number | undefined {
  return rowCount(buffer) === 0 && !isCommitting ? nextOffset : expectedOffset
}
