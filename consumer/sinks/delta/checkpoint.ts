import { RetryableError } from '../../../lib/errors.ts'
import { encodeRecords } from '../../parquet/record-writer.ts'
import { openParquet } from '../../parquet/reader.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import type { Action, Add, Remove } from './actions.ts'
import { CHECKPOINT_SCHEMA, checkpointRow } from './checkpoint-schema.ts'
import { stringifyJson } from '../json.ts'
import { listLog, readHint } from './load.ts'
import { LAST_CHECKPOINT, checkpointPath, entryPath, parseEntry } from './log.ts'
import { tombstoneRetentionMs } from './retention.ts'
import type { Snapshot } from './snapshot.ts'

/** The last word of the entries since the previous checkpoint about each file, by decoded path. */
type Tail = ReadonlyMap<string, { readonly add?: Add; readonly remove?: Remove }>

/**
 * Writes the classic checkpoint of `snapshot`'s version by streaming the previous one past the entries since: memory grows
 * with those and with the number of keys, not with the table. Many may do it at once: each writes the same state whole.
 */
export async function writeCheckpoint(
  store: ObjectStore,
  snapshot: Snapshot,
  nowMs: number,
  signal: AbortSignal
): Promise<void> {
  const { version } = snapshot
  const isDone = async () => ((await readHint(store)) ?? -1) >= version
  if ((await isDone()) || (await store.size(checkpointPath(version))) !== undefined) return
  const listing = await listLog(store)
  const base = [...listing.checkpoints.keys()].filter(each => each < version).reduce((a, b) => Math.max(a, b), -1)
  const tail = await readTail(store, base + 1, version)
  const counts = { actions: 0, adds: 0, bytes: 0 }
  const previous = listing.checkpoints.get(base) ?? []
  const rows = checkpointRows(store, previous, tail, snapshot, nowMs, counts)
  await store.put(checkpointPath(version), counted(encodeRecords(CHECKPOINT_SCHEMA, rows), counts, signal))
  if (await isDone()) return
  const last = { version, size: counts.actions, sizeInBytes: counts.bytes, numOfAddFiles: counts.adds }
  await store.put(LAST_CHECKPOINT, [Buffer.from(stringifyJson(last))])
}

async function readTail(store: ObjectStore, first: number, last: number): Promise<Tail> {
  const tail = new Map<string, { add?: Add; remove?: Remove }>()
  for (let version = first; version <= last; version++) {
    const path = entryPath(version)
    const bytes = await store.get(path)
    if (bytes === undefined) throw new RetryableError('DeltaLogMoving', `${path} is gone while a checkpoint is written`)
    for (const { add, remove } of parseEntry(bytes, path, { withFiles: true })) {
      if (add) tail.set(decoded(add.path), { add })
      else if (remove) tail.set(decoded(remove.path), { remove })
    }
  }
  return tail
}

async function* checkpointRows(
  store: ObjectStore,
  previous: readonly string[],
  tail: Tail,
  { protocol, metadata, txns }: Snapshot,
  nowMs: number,
  counts: { actions: number; adds: number }
): AsyncIterable<Readonly<Record<string, unknown>>> {
  const expiredMs = nowMs - tombstoneRetentionMs(metadata)
  const row = (action: Action): Readonly<Record<string, unknown>> => {
    counts.actions++
    if (action.add) counts.adds++
    return checkpointRow(action)
  }
  const isKept = ({ deletionTimestamp }: Remove): boolean => Number(deletionTimestamp ?? 0) > expiredMs
  yield row({ protocol })
  yield row({ metaData: metadata })
  for (const txn of txns.values()) yield row({ txn })
  for (const part of previous) {
    const file = await openParquet(store, part)
    if (file === undefined) throw new RetryableError('DeltaLogMoving', `${part} is gone while a checkpoint is written`)
    for await (const { add, remove } of file.rows(['add', 'remove'])) {
      if (isFile(add) && !tail.has(decoded(add.path))) yield row({ add })
      if (isFile(remove) && !tail.has(decoded(remove.path)) && isKept(remove)) yield row({ remove })
    }
  }
  for (const { add, remove } of tail.values()) {
    if (add) yield row({ add })
    else if (remove && isKept(remove)) yield row({ remove })
  }
}

const isFile = (value: unknown): value is Add => typeof (value as Add | null | undefined)?.path === 'string'

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  counts: { bytes: number },
  signal: AbortSignal
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    counts.bytes += chunk.length
    yield chunk
  }
}

/** Writers encode paths differently; what they mean is the same. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
