import type { PartitionId } from '../../partition.ts'
import type { Recovered } from '../../sink.ts'
import {
  movedPartitions as movedFrom,
  newestOffsets,
  parseKey,
  type MergedRange,
  type OffsetKey
} from '../offset-key.ts'
import type { Txn } from './actions.ts'

const OFFSETS = 'bronze'
const MARKERS = 'bronze-dlq'
/** The `txn` that holds a key's next offset. */
export const offsetAppId = (key: string): string => `${OFFSETS}:${key}`

/**
 * The `txn` that says which version of a main table last named dead letters of this key; see `dead-letters.ts`. It carries
 * the main table's id: versions of one that was created anew, or of another one, are other versions.
 */
export const markerAppId = (tableId: string, key: string): string => `${MARKERS}:${tableId}:${key}`

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
  const held = offsetsIn(txns).map(([key, { version, lastUpdated }]) => ({
    key,
    nextOffset: Number(version),
    updatedMs: Number(lastUpdated ?? 0)
  }))
  return newestOffsets(held, topics)
}

/** The partitions whose offsets are not where the ranges expect them. */
export function movedPartitions(
  merged: ReadonlyMap<string, MergedRange>,
  txns: ReadonlyMap<string, Txn>
): { readonly keys: readonly string[]; readonly partitions: readonly PartitionId[] } {
  return movedFrom(merged, key => {
    const held = txns.get(offsetAppId(key))?.version
    return held === undefined ? undefined : Number(held)
  })
}
