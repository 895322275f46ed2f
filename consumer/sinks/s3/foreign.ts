import { FatalError } from '../../../lib/errors.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { isTableName, tableFolder, tableObjects } from './names.ts'

/** The parts that a table's name has at most. */
const MAX_PARTS = 3

/**
 * Before a table is created. A folder where a table of another format lies is not for us: its readers, or ours, would find objects that
 * are not theirs. So it is with a table of ours inside the other, which one pipeline may not have, but two can. FatalError `ForeignTable`.
 */
export async function refuseForeign(store: ObjectStore, table: string): Promise<void> {
  const folder = tableFolder(table)
  for await (const { path } of store.list(`${folder}_delta_log/`, undefined, 1))
    throw foreign(`The folder of table ${table} is a Delta table, by ${path}`)
  for await (const { path } of store.list(`${folder}metadata/`, undefined, 1000)) {
    if (path.endsWith('.metadata.json')) throw foreign(`The folder of table ${table} is an Iceberg table, by ${path}`)
  }
  const parts = table.split('.')
  for (let length = 1; length < parts.length; length++) {
    const outer = parts.slice(0, length).join('.')
    if (await isThere(store, outer)) throw inside(table, outer)
  }
  await refuseInner(store, table, table)
}

async function refuseInner(store: ObjectStore, folder: string, table: string): Promise<void> {
  if (folder.split('.').length >= MAX_PARTS) return
  for (const name of await store.folders(tableFolder(folder))) {
    const inner = `${folder}.${name}`
    // A dot would be another folder's name; most folders are those of a path, as in `dt=2026-11-21`.
    if (name.includes('.') || !isTableName(inner)) continue
    if (await isThere(store, inner)) throw inside(inner, table)
    await refuseInner(store, inner, table)
  }
}

async function isThere(store: ObjectStore, table: string): Promise<boolean> {
  for await (const _object of store.list(tableObjects(table), undefined, 1)) return true
  return false
}

const inside = (inner: string, outer: string): FatalError =>
  foreign(
    `The folder of table ${inner} is inside the folder of table ${outer}, whose readers would find the rows of both`
  )

const foreign = (what: string): FatalError =>
  new FatalError('ForeignTable', `${what}. Name another table in spec.topics[].table, or change spec.sink.s3.location.`)
