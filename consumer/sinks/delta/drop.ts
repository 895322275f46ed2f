import { FatalError } from '../../../lib/errors.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { ENGINE } from './actions.ts'
import { DROPPED_FEATURE, isMark } from './dropped.ts'
import { entryPath, LOG_FOLDER, sortListing } from './log.ts'

/** Deletes that are under way at once. */
const AT_ONCE = 16

/** What lies in a table's folder. */
export interface TableObjects {
  readonly paths: readonly string[]
  readonly bytes: number
  /** Of the newest entry or checkpoint of its log; undefined when there is no log. */
  readonly latestVersion: number | undefined
}

/** Looks at a table whose folder is the root of the store. FatalError when another table lies inside: it would go too. */
export async function listTable(store: ObjectStore): Promise<TableObjects> {
  const paths: string[] = []
  let bytes = 0
  for await (const { path, sizeBytes } of store.list('')) {
    paths.push(path)
    bytes += sizeBytes
  }
  const inner = paths.find(path => path.includes(`/${LOG_FOLDER}`) || /\/metadata\/[^/]+\.metadata\.json$/.test(path))
  if (inner !== undefined) {
    throw new FatalError(
      'TableInside',
      `another table lies inside ${store.location}, by ${inner}: move it, or delete what is yours by hand.`
    )
  }
  return { paths, bytes, latestVersion: sortListing(paths.filter(path => path.startsWith(LOG_FOLDER))).latest }
}

/**
 * Deletes a table. First a commit makes every reader and writer refuse it, in one step: there is no moment in which a part
 * of the table looks like the whole. Its entry goes last, so that after a crash the table is still refused, and the drop can be
 * repeated. A folder without a log is no table, and stays. FatalError as `listTable`.
 */
export async function dropTable(store: ObjectStore, nowMs: number): Promise<'dropped' | 'absent'> {
  const marker = await mark(store, nowMs)
  if (marker === undefined) return 'absent'
  const { paths } = await listTable(store)
  const isLog = (path: string) => path.startsWith(LOG_FOLDER)
  await deleteAll(
    store,
    paths.filter(path => !isLog(path))
  )
  await deleteAll(
    store,
    paths.filter(path => isLog(path) && path !== marker)
  )
  await store.delete(marker)
  return 'dropped'
}

/** The path of the entry that makes the table be refused; undefined when there is no table. */
async function mark(store: ObjectStore, nowMs: number): Promise<string | undefined> {
  for (;;) {
    const { latestVersion } = await listTable(store)
    if (latestVersion === undefined) return undefined
    const latest = entryPath(latestVersion)
    if (isMark(await store.get(latest))) return latest
    const path = entryPath(latestVersion + 1)
    // Somebody else may have been faster, with a commit or a drop.
    if ((await store.putIfAbsent(path, [markerEntry(nowMs)])) === 'created') return path
  }
}

/** PROTOCOL.md, "Table Features": who does not know a feature that is listed must not read, or write, the table. */
function markerEntry(nowMs: number): Buffer {
  const features = [DROPPED_FEATURE]
  const commitInfo = { timestamp: nowMs, operation: 'DROP TABLE', operationParameters: {}, engineInfo: ENGINE }
  const protocol = { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: features, writerFeatures: features }
  return Buffer.from(`${JSON.stringify({ commitInfo })}\n${JSON.stringify({ protocol })}\n`)
}

async function deleteAll(store: ObjectStore, paths: readonly string[]): Promise<void> {
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    await Promise.all(paths.slice(at, at + AT_ONCE).map(async path => await store.delete(path)))
  }
}
