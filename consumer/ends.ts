import type { PartitionId } from './partition.ts'
import { RecordCursor, type RecordBatch } from './record-batch.ts'
import type { Slot } from './slot.ts'
import type { Source } from './source.ts'

/**
 * The part of a batch below `end`, the first offset that is not wanted. A batch that crosses it, or that begins beyond it
 * after a gap in the offsets, moves the position to `end` exactly.
 */
export function cutAt(batch: RecordBatch, end: number): RecordBatch {
  if (batch.nextOffset <= end) return batch
  const count = batch.kind === 'data' ? countBelow(batch, end) : 0
  if (count > 0 || (batch.kind === 'corrupt' && batch.baseOffset < end)) return { ...batch, count, nextOffset: end }
  return { ...batch, kind: 'skip', count: 0, nextOffset: end, records: Buffer.alloc(0), reason: undefined }
}

function countBelow(batch: RecordBatch, end: number): number {
  const cursor = new RecordCursor()
  cursor.reset(batch)
  for (let count = 0; ; count++) {
    try {
      if (!cursor.next() || cursor.offset >= end) return count
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      // Of a record that cannot be read the decoder makes a dead letter.
      return count + 1
    }
  }
}

/** Whether nothing more of the partition is wanted, as far as its end is known. */
export const isAtEnd = ({ entry, end, place }: Pick<Slot, 'entry' | 'end' | 'place'>): boolean =>
  entry.endAt !== undefined && (end === undefined || place === undefined || place.nextOffset >= end.offset)

type Lags = ReturnType<Source['lags']>

/** Lags of partitions that end: up to there. Those that were never fetched from have one too. */
export function endedLags(lags: Lags, slots: readonly Slot[]): Lags {
  const ended = new Map(lags)
  for (const { id, end, place } of slots) {
    if (end?.isFinal !== true || place === undefined) continue
    const { endOffset = end.offset, logStart = 0 } = lags.get(id) ?? {}
    const position = place.nextOffset
    ended.set(id, { endOffset: Math.max(position, Math.min(endOffset, end.offset)), logStart, position })
  }
  return ended
}

/** The slots that have come to an end that may yet move. */
export const atOpenEnd = (slots: readonly Slot[]): readonly Slot[] =>
  slots.filter(({ end, place }) => end?.isFinal === false && place !== undefined && place.nextOffset >= end.offset)

/** Where each of these goes on, now that its end has moved. */
export const positionsBelowEnd = (slots: readonly Slot[]): ReadonlyMap<PartitionId, number> =>
  new Map(
    slots.flatMap(slot =>
      slot.place === undefined || isAtEnd(slot) ? [] : [[slot.id, slot.place.nextOffset] as const]
    )
  )
