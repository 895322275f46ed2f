import { type Partition, partitionId } from '../partition.ts'
import type { SourceLoss } from '../source.ts'

/** What the log holds of a partition: `[logStart, logEnd)`. */
export interface LogRange {
  readonly logStart: number
  readonly logEnd: number
}

/** The loss in a log of this range when `nextOffset` is to be read next; undefined when it can be read. */
export function rangeLoss(
  partition: Partition,
  nextOffset: number,
  { logStart, logEnd }: LogRange
): SourceLoss | undefined {
  const id = partitionId(partition)
  if (logStart > nextOffset) {
    return {
      partition,
      kind: 'Truncated',
      nextOffset,
      resumeOffset: logStart,
      message: `${id} begins at offset ${logStart} now: records from ${nextOffset} on were deleted before they were read.`
    }
  }
  if (nextOffset > logEnd) {
    return {
      partition,
      kind: 'BeyondEnd',
      nextOffset,
      resumeOffset: logEnd,
      message: `${id} ends at offset ${logEnd}, before ${nextOffset} which is next to read: the end of its log was lost.`
    }
  }
  return undefined
}

/** The leader's log parts at `endOffset` from the one that was read: an unclean election lost its end. */
export function divergence(partition: Partition, nextOffset: number, endOffset: number): SourceLoss {
  const resumeOffset = Math.min(nextOffset, endOffset)
  return {
    partition,
    kind: 'Diverged',
    nextOffset,
    resumeOffset,
    message:
      `The log of ${partitionId(partition)} was replaced from offset ${resumeOffset} on: ` +
      `records read between there and ${nextOffset} are no longer in it.`
  }
}

/** `partition` is of the new topic; reading can go on at its log start. */
export function recreation(partition: Partition, nextOffset: number, logStart: number): SourceLoss {
  return {
    partition,
    kind: 'Recreated',
    nextOffset,
    resumeOffset: logStart,
    message: `Topic ${partition.topic} was deleted and created anew; ${partitionId(partition)} was to be read from offset ${nextOffset}.`
  }
}
