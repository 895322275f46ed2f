import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Action {
  readonly add?: { readonly path: string }
  readonly remove?: { readonly path: string }
}

/** The Parquet files of a Delta table that are live now, by its log: what any reader of Delta would scan. */
export function liveFiles(table: string): readonly string[] {
  const live = new Set<string>()
  for (const { add, remove } of commits(table).flatMap(readActions)) {
    if (add) live.add(add.path)
    if (remove) live.delete(remove.path)
  }
  return Array.from(live, path => join(table, decodeURIComponent(path)))
}

/** The commit files of a table, oldest first; none while there is no table. */
export function commits(table: string): readonly string[] {
  const log = join(table, '_delta_log')
  if (!existsSync(log)) return []
  return readdirSync(log)
    .filter(name => /^\d{20}\.json$/.test(name))
    .sort()
    .map(name => join(log, name))
}

const readActions = (file: string): readonly Action[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Action)
