import { invariant } from '../../lib/errors.ts'
import type { BatchPart } from '../batch.ts'
import { partitionId, type PartitionId, type TableOffset } from '../partition.ts'
import type { Recovered, StagedRange } from '../sink.ts'

/** An offset's key as a table knows it: partition, incarnation and epoch. */
export interface OffsetKey {
  readonly topic: string
  readonly topicId: string
  readonly epoch: number
  readonly partition: number
}

/** No topic name and no topic id has a colon. */
const KEY = /^([^:]+):([^:]*):(0|[1-9]\d*):(0|[1-9]\d*)$/

export const formatKey = ({ topic, topicId, epoch, partition }: OffsetKey): string =>
  `${topic}:${topicId}:${epoch}:${partition}`

export function parseKey(key: string): OffsetKey | undefined {
  const match = KEY.exec(key)
  if (match === null) return undefined
  const [, topic = '', topicId = '', epoch, partition] = match
  const parsed = { topic, topicId, epoch: Number(epoch), partition: Number(partition) }
  return Number.isSafeInteger(parsed.epoch) && Number.isSafeInteger(parsed.partition) ? parsed : undefined
}

/** What a table holds for one key. */
export interface KeyOffset {
  readonly key: OffsetKey
  readonly nextOffset: number
  /** When it was last moved; 0 when the table does not say. */
  readonly updatedMs: number
}

/** The newest incarnation of each topic, and the newest epoch's offset of each of its partitions. */
export function newestOffsets(held: Iterable<KeyOffset>, topics: readonly string[]): Omit<Recovered, 'columns'> {
  const wanted = new Set(topics)
  const offsets = new Map<PartitionId, TableOffset & { readonly updatedMs: number }>()
  const newest = new Map<string, { topicId: string; epoch: number; updatedMs: number }>()
  for (const { key, nextOffset, updatedMs } of held) {
    if (!wanted.has(key.topic)) continue
    const { topicId, epoch } = key
    const id = partitionId(key)
    const known = offsets.get(id)
    const candidate = { topicId, epoch, nextOffset, updatedMs }
    if (known === undefined || isNewer(candidate, known)) offsets.set(id, candidate)
    const topic = newest.get(key.topic)
    if (topic === undefined || isNewer(candidate, topic)) newest.set(key.topic, { topicId, epoch, updatedMs })
  }
  return {
    offsets: new Map([...offsets].map(([id, { topicId, epoch, nextOffset }]) => [id, { topicId, epoch, nextOffset }])),
    topics: new Map([...newest].map(([topic, { topicId, epoch }]) => [topic, { topicId, epoch }]))
  }
}

interface Incarnation {
  readonly topicId: string
  readonly epoch: number
  readonly updatedMs: number
}

/** By epoch; within one, a key with a topic id follows the one without (the broker was upgraded), then by time. */
function isNewer(one: Incarnation, other: Incarnation): boolean {
  if (one.epoch !== other.epoch) return one.epoch > other.epoch
  if ((one.topicId === '') !== (other.topicId === '')) return one.topicId !== ''
  return one.updatedMs > other.updatedMs
}

/** What a part of a batch claims, for `Staged`. */
export const stagedRange = ({
  partition,
  epoch,
  expectedOffset,
  nextOffset,
  rows,
  deadLetters
}: BatchPart): StagedRange => ({
  ...partition,
  epoch,
  expectedOffset,
  nextOffset,
  records: rows.reduce((sum, group) => sum + group.rows, 0),
  deadLetters: deadLetters?.rows ?? 0
})

/** What several staged batches together expect and claim of one key. */
export interface MergedRange {
  readonly id: PartitionId
  readonly expected: number | undefined
  readonly next: number
}

/** What several staged batches together expect and claim, by formatted key; one may continue where another ends. */
export function mergeRanges(ranges: readonly StagedRange[]): ReadonlyMap<string, MergedRange> {
  const merged = new Map<string, MergedRange>()
  for (const range of ranges) {
    const key = formatKey(range)
    const { expectedOffset, nextOffset } = range
    const before = merged.get(key)
    invariant(nextOffset >= (expectedOffset ?? 0), `${key} never goes back (to ${nextOffset})`)
    invariant(before === undefined || before.next === expectedOffset, `staged batches of ${key} follow each other`)
    merged.set(key, {
      id: partitionId(range),
      expected: before === undefined ? expectedOffset : before.expected,
      next: nextOffset
    })
  }
  return merged
}

/** The partitions whose offsets are not where the ranges expect them; `heldOf` tells what the table holds for a key. */
export function movedPartitions(
  merged: ReadonlyMap<string, MergedRange>,
  heldOf: (key: string) => number | undefined
): { readonly keys: readonly string[]; readonly partitions: readonly PartitionId[] } {
  const moved = [...merged].filter(([key, { expected }]) => heldOf(key) !== expected)
  return { keys: moved.map(([key]) => key), partitions: [...new Set(moved.map(([, { id }]) => id))] }
}
