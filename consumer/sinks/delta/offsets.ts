import { invariant } from '../../../lib/errors.ts'
import { partitionId, type PartitionId, type TableOffset } from '../../partition.ts'
import type { Recovered, StagedRange } from '../../sink.ts'
import type { Txn } from './actions.ts'

/** An offset's key as a table knows it: partition, incarnation and epoch. */
export interface OffsetKey {
  readonly topic: string
  readonly topicId: string
  readonly epoch: number
  readonly partition: number
}

const OFFSETS = 'bronze'
const MARKERS = 'bronze-dlq'
/** No topic name and no topic id has a colon. */
const KEY = /^([^:]+):([^:]*):(0|[1-9]\d*):(0|[1-9]\d*)$/

export const formatKey = ({ topic, topicId, epoch, partition }: OffsetKey): string =>
  `${topic}:${topicId}:${epoch}:${partition}`

/** The `txn` that holds a key's next offset. */
export const offsetAppId = (key: string): string => `${OFFSETS}:${key}`

/**
 * The `txn` that says which version of a main table last named dead letters of this key; see `dead-letters.ts`. It carries
 * the main table's id: versions of one that was created anew, or of another one, are other versions.
 */
export const markerAppId = (tableId: string, key: string): string => `${MARKERS}:${tableId}:${key}`

export function parseKey(key: string): OffsetKey | undefined {
  const match = KEY.exec(key)
  if (match === null) return undefined
  const [, topic = '', topicId = '', epoch, partition] = match
  const parsed = { topic, topicId, epoch: Number(epoch), partition: Number(partition) }
  return Number.isSafeInteger(parsed.epoch) && Number.isSafeInteger(parsed.partition) ? parsed : undefined
}

/** All offsets a table holds. */
export const offsetsIn = (txns: ReadonlyMap<string, Txn>): [key: OffsetKey, txn: Txn][] =>
  [...txns.values()].flatMap(txn => {
    const [prefix, key] = cut(txn.appId)
    const parsed = prefix === OFFSETS ? parseKey(key) : undefined
    return parsed === undefined ? [] : [[parsed, txn]]
  })

/** All markers of dead letters, of any main table. */
export const markersIn = (txns: ReadonlyMap<string, Txn>): [key: OffsetKey, txn: Txn][] =>
  [...txns.values()].flatMap(txn => {
    const [prefix, rest] = cut(txn.appId)
    const parsed = prefix === MARKERS ? parseKey(cut(rest)[1]) : undefined
    return parsed === undefined ? [] : [[parsed, txn]]
  })

function cut(text: string): [before: string, after: string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

/** The newest incarnation of each topic, and the newest epoch's offset of each of its partitions. */
export function recoverOffsets(txns: ReadonlyMap<string, Txn>, topics: readonly string[]): Omit<Recovered, 'columns'> {
  const wanted = new Set(topics)
  const offsets = new Map<PartitionId, TableOffset & { readonly updatedMs: number }>()
  const newest = new Map<string, { topicId: string; epoch: number; updatedMs: number }>()
  for (const [key, txn] of offsetsIn(txns)) {
    if (!wanted.has(key.topic)) continue
    const { topicId, epoch } = key
    const updatedMs = Number(txn.lastUpdated ?? 0)
    const id = partitionId(key)
    const known = offsets.get(id)
    const candidate = { topicId, epoch, nextOffset: Number(txn.version), updatedMs }
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

/** What several staged batches together expect and claim, per key; one may continue where another ends. */
export function mergeRanges(
  ranges: readonly StagedRange[]
): ReadonlyMap<string, { readonly id: PartitionId; readonly expected: number | undefined; readonly next: number }> {
  const merged = new Map<string, { id: PartitionId; expected: number | undefined; next: number }>()
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

/** The partitions whose offsets are not where the ranges expect them. */
export function movedPartitions(
  merged: ReturnType<typeof mergeRanges>,
  txns: ReadonlyMap<string, Txn>
): { readonly keys: readonly string[]; readonly partitions: readonly PartitionId[] } {
  const moved = [...merged].filter(([key, { expected }]) => {
    const held = txns.get(offsetAppId(key))?.version
    return (held === undefined ? undefined : Number(held)) !== expected
  })
  return { keys: moved.map(([key]) => key), partitions: [...new Set(moved.map(([, { id }]) => id))] }
}
