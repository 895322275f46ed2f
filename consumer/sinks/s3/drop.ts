import { atOnce } from '../../../lib/at-once.ts'
import { FatalError } from '../../../lib/errors.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { isOwnPath, tableFolder, tableObjectPath, tableObjects } from './names.ts'
import { formatTable, type TableObject } from './table-object.ts'
import { readTableObject } from './table.ts'

/** Deletes that are under way at once. */
const AT_ONCE = 16
/** Paths that are held at a time. */
const PAGE = 1_000

/**
 * What lies in a table's folder; undefined when there is no table of ours, which may have been a folder of somebody's. FatalError
 * when another table lies inside: it would go too. `store` is rooted at the sink's location.
 */
export async function listS3Table(
  store: ObjectStore,
  table: string
): Promise<{ readonly objects: number; readonly bytes: number } | undefined> {
  if ((await readTableObject(store, table)) === undefined) return undefined
  const folder = tableFolder(table)
  let objects = 0
  let bytes = 0
  for await (const { path, sizeBytes } of store.list(folder)) {
    refuseInner(path.slice(folder.length), store.location, path)
    objects++
    bytes += sizeBytes
  }
  return { objects, bytes }
}

/**
 * Deletes a table and all that lies in its folder. First a mark by which every consumer refuses the table; then what the table is,
 * without which no commit is made; the mark goes last. So after a crash anywhere the table is refused, never taken for one that
 * goes on from offsets whose rows are gone, and the drop can be repeated. FatalError as `listS3Table`.
 */
export async function dropS3Table(store: ObjectStore, table: string): Promise<'dropped' | 'absent'> {
  if ((await listS3Table(store, table)) === undefined) return 'absent'
  const mark = await markDropped(store, table)
  if (mark === undefined) return 'absent'
  await deleteAll(store, tableObjects(table), mark)
  await deleteAll(store, tableFolder(table), mark)
  await store.delete(mark)
  return 'dropped'
}

/** The path of the mark; undefined when the table has gone meanwhile. */
async function markDropped(store: ObjectStore, table: string): Promise<string | undefined> {
  for (;;) {
    const newest: TableObject | undefined = await readTableObject(store, table)
    if (newest === undefined) return undefined
    if (newest.isDropped) return tableObjectPath(table, newest.number)
    const path = tableObjectPath(table, newest.number + 1)
    // Somebody else may have been faster, with a column or a drop.
    const mark = formatTable({ ...newest, columns: [], isDropped: true })
    if ((await store.putIfAbsent(path, [mark])) === 'created') return path
  }
}

/** Until nothing but the mark is left: what is under way may still arrive. */
async function deleteAll(store: ObjectStore, prefix: string, mark: string): Promise<void> {
  for (;;) {
    const paths: string[] = []
    for await (const { path } of store.list(prefix, undefined, PAGE)) if (path !== mark) paths.push(path)
    if (paths.length === 0) return
    await atOnce(AT_ONCE, paths, async path => {
      await store.delete(path)
    })
  }
}

function refuseInner(path: string, location: string, whole: string): void {
  const isInner = !isOwnPath(path)
    ? path.includes('/_delta_log/') || /\/metadata\/[^/]+\.metadata\.json$/.test(path)
    : !path.startsWith('_bronze/')
  if (!isInner) return
  throw new FatalError(
    'TableInside',
    `another table lies inside the folder, by ${whole} in ${location}: move it, or delete what is yours by hand.`
  )
}
