import { FatalError, RetryableError } from '../../../lib/errors.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import type { Action } from './actions.ts'
import { readCheckpointState } from './checkpoint-state.ts'
import { halfDropped, isMark } from './dropped.ts'
import { parseJson } from '../json.ts'
import { LAST_CHECKPOINT, LOG_FOLDER, entryPath, listStart, parseEntry, sortListing, type LogListing } from './log.ts'
import { applyEntry, holdsOurs, type Snapshot } from './snapshot.ts'

export interface LogEntry {
  readonly version: number
  readonly actions: readonly Action[]
}

/** Entries fetched at the same time. */
const READ_AHEAD = 16
/** How far back we look for our last commit, to know whether a RESTORE came after it. */
const LOOK_BACK_ENTRIES = 1_000
/** A log that is cleaned while we read it is read again. */
const LOAD_ATTEMPTS = 3

/**
 * The newest state of the table in `store` (rooted at the table), from the newest checkpoint and the entries after it;
 * undefined when there is no log. Reads protocol, metadata and transaction identifiers only.
 */
export async function loadSnapshot(store: ObjectStore, table: string): Promise<Snapshot | undefined> {
  for (let attempt = 1; attempt <= LOAD_ATTEMPTS; attempt++) {
    const listing = await listLog(store)
    if (listing.latest === undefined) return undefined
    const loaded = await replay(store, table, listing, listing.latest)
    if (loaded !== undefined) return await findOurVersion(store, loaded)
  }
  throw new RetryableError('DeltaLogMoving', `the log of Delta table ${table} keeps changing while it is read`)
}

/** What lies in the log from the checkpoint on that `_last_checkpoint` names, else all of it. */
export async function listLog(store: ObjectStore): Promise<LogListing> {
  const hint = await readHint(store)
  const collect = async (startAfter?: string): Promise<LogListing> => {
    const paths: string[] = []
    for await (const { path } of store.list(LOG_FOLDER, startAfter)) paths.push(path)
    return sortListing(paths)
  }
  if (hint !== undefined) {
    const listing = await collect(listStart(hint))
    if (listing.checkpoints.has(hint)) return listing
  }
  return await collect()
}

/** `_last_checkpoint` is a hint: whatever is wrong with it, the listing decides. */
export async function readHint(store: ObjectStore): Promise<number | undefined> {
  const bytes = await store.get(LAST_CHECKPOINT)
  if (bytes === undefined) return undefined
  try {
    const { version } = parseJson(bytes.toString('utf8')) as { version?: unknown }
    return typeof version === 'number' && Number.isSafeInteger(version) && version >= 0 ? version : undefined
  } catch {
    return undefined
  }
}

/** Undefined when something that was listed is gone by now. */
async function replay(
  store: ObjectStore,
  table: string,
  listing: LogListing,
  latest: number
): Promise<Snapshot | undefined> {
  const base = [...listing.checkpoints.keys()].reduce<number | undefined>(
    (a, b) => (a === undefined || b > a ? b : a),
    undefined
  )
  for (let version = (base ?? -1) + 1; version <= latest; version++) {
    if (listing.entries.has(version)) continue
    throw isMark(await store.get(entryPath(latest))) ? halfDropped(table) : incomplete(table, entryPath(version))
  }
  const state = base === undefined ? undefined : await readCheckpointState(store, listing.checkpoints.get(base) ?? [])
  if (base !== undefined && state === undefined) return undefined
  const entries: LogEntry[] = []
  for await (const entry of readEntries(store, (base ?? -1) + 1)) entries.push(entry)
  const protocol =
    state?.protocol ?? entries.flatMap(({ actions }) => actions).find(action => action.protocol)?.protocol
  const metadata =
    state?.metadata ?? entries.flatMap(({ actions }) => actions).find(action => action.metaData)?.metaData
  if (protocol === undefined || metadata === undefined) throw incomplete(table, 'its protocol or metadata')
  let snapshot: Snapshot = {
    version: base ?? -1,
    protocol,
    metadata,
    txns: state?.txns ?? new Map(),
    authors: new Map(),
    ourVersion: undefined,
    restores: []
  }
  for (const { version, actions } of entries) snapshot = applyEntry(snapshot, version, actions)
  return snapshot.version >= latest ? snapshot : undefined
}

function incomplete(table: string, missing: string): FatalError {
  return new FatalError(
    'DeltaLogIncomplete',
    `The log of Delta table ${table} lacks ${missing} and has no classic checkpoint that makes up for it. ` +
      'Write one with the engine that cleaned the log, restore the objects, or name another table in spec.topics[].table.'
  )
}

/** Entries from `version` on, in order, until the first that is not there. Reads ahead when there are many. */
export async function* readEntries(store: ObjectStore, version: number): AsyncIterable<LogEntry> {
  for (let next = version, width = 1; ; width = Math.min(READ_AHEAD, width * 2)) {
    const versions = Array.from({ length: width }, (_, index) => next + index)
    const found = await Promise.all(versions.map(async each => await readEntry(store, each)))
    for (const entry of found) {
      if (entry === undefined) return
      yield entry
      next++
    }
  }
}

export async function readEntry(store: ObjectStore, version: number): Promise<LogEntry | undefined> {
  const path = entryPath(version)
  const bytes = await store.get(path)
  return bytes === undefined ? undefined : { version, actions: parseEntry(bytes, path, { withFiles: false }) }
}

/** A RESTORE that the checkpoint hides would go unseen: look back to our last commit, or to where the log was cleaned. */
async function findOurVersion(store: ObjectStore, snapshot: Snapshot): Promise<Snapshot> {
  if (snapshot.ourVersion !== undefined || !holdsOurs(snapshot)) return snapshot
  const earlier: LogEntry[] = []
  const lowest = Math.max(0, snapshot.version - LOOK_BACK_ENTRIES)
  for (let version = snapshot.version; version >= lowest; version--) {
    const entry = await readEntry(store, version)
    if (entry === undefined) break
    earlier.unshift(entry)
    if (entry.actions.some(({ commitInfo }) => commitInfo?.bronze?.ranges !== undefined)) break
  }
  const replayed = earlier.reduce<Snapshot>((state, { version, actions }) => applyEntry(state, version, actions), {
    ...snapshot,
    restores: []
  })
  // Only what the entries say about commits and restores is taken: the rest of the state is already newer.
  return { ...snapshot, authors: replayed.authors, ourVersion: replayed.ourVersion, restores: replayed.restores }
}
