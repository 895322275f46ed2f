import { type Partition, type PartitionId, partitionId } from '../partition.ts'

/** Where one assigned partition stands: what to fetch next, and what of it lies fetched and not yet handed over. */
export class Cursor {
  readonly id: PartitionId
  /** Replaced when the topic turns out to be another one under the same name. */
  partition: Partition
  /** Counts seeks and rewinds: what was fetched under an older one is dropped. */
  version = 0
  /** Fetched only when it was told from where, and while nothing stands against it. */
  isSought = false
  isLost = false
  isExamined = false
  isInFlight = false
  /** A whole batch did not fit in the answer: it is asked for alone. */
  isStuck = false
  retryAtMs = 0
  fetchOffset = 0
  lastFetchedEpoch = -1
  /** The offset after what was handed over last. */
  position = 0
  checksumFailures = 0
  /** Answers not yet handed over, and the node they came from: no other is asked meanwhile, which keeps the order. */
  pending = 0
  pendingNode = -1
  /** Raised when an answer held data, so that quiet partitions are asked for first. */
  servedAt = 0
  logStart: number | undefined
  endOffset: number | undefined

  constructor(partition: Partition) {
    this.partition = partition
    this.id = partitionId(partition)
  }

  seek(offset: number): void {
    this.position = offset
    this.isSought = true
    this.isLost = false
    this.lastFetchedEpoch = -1
    this.checksumFailures = 0
    this.rewind(offset)
  }

  /** Fetches again from `offset`; what was fetched from there on is dropped. */
  rewind(offset: number): void {
    this.version++
    this.fetchOffset = offset
    this.pending = 0
    this.isStuck = false
    this.retryAtMs = 0
  }

  /** Nothing more is wanted of this partition. */
  drop(): void {
    this.version++
    this.isSought = false
  }

  isFetchable(node: number, nowMs: number): boolean {
    const isClear = this.isSought && !this.isLost && !this.isExamined && !this.isInFlight
    return isClear && this.retryAtMs <= nowMs && (this.pending === 0 || this.pendingNode === node)
  }
}
