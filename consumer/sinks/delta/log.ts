import { FatalError } from '../../../lib/errors.ts'
import type { Action } from './actions.ts'
import { parseJson, stringifyJson } from '../json.ts'

export const LOG_FOLDER = '_delta_log/'
export const LAST_CHECKPOINT = `${LOG_FOLDER}_last_checkpoint`

const digits = (version: number): string => String(version).padStart(20, '0')

export const entryPath = (version: number): string => `${LOG_FOLDER}${digits(version)}.json`

export const checkpointPath = (version: number): string => `${LOG_FOLDER}${digits(version)}.checkpoint.parquet`

/** Sorts before everything that belongs to `version` and after all that belongs to the one before. */
export const listStart = (version: number): string => `${LOG_FOLDER}${digits(version)}`

/** What lies in a log: versions with an entry, and complete classic or multi-part checkpoints. */
export interface LogListing {
  readonly entries: ReadonlySet<number>
  /** Paths of the parts per version. */
  readonly checkpoints: ReadonlyMap<number, readonly string[]>
  readonly latest: number | undefined
}

const ENTRY = /^(\d{20})\.json$/
const CLASSIC = /^(\d{20})\.checkpoint\.parquet$/
const PART = /^(\d{20})\.checkpoint\.(\d{10})\.(\d{10})\.parquet$/

/** Sorts the names of a log (relative to the table). Other files in it (.crc, compactions, sidecars) are not needed. */
export function sortListing(paths: Iterable<string>): LogListing {
  const entries = new Set<number>()
  const checkpoints = new Map<number, readonly string[]>()
  const parts = new Map<string, string[]>()
  for (const path of paths) {
    const name = path.slice(LOG_FOLDER.length)
    const entry = ENTRY.exec(name)
    if (entry !== null) entries.add(Number(entry[1]))
    const classic = CLASSIC.exec(name)
    if (classic !== null) checkpoints.set(Number(classic[1]), [path])
    const part = PART.exec(name)
    if (part !== null) {
      const [, version = '', , count = ''] = part
      const found = parts.get(`${version}.${count}`) ?? []
      parts.set(`${version}.${count}`, [...found, path])
    }
  }
  for (const [key, found] of parts) {
    const [version, count] = key.split('.').map(Number)
    if (version !== undefined && found.length === count && !checkpoints.has(version)) checkpoints.set(version, found)
  }
  const versions = [...entries, ...checkpoints.keys()]
  return { entries, checkpoints, latest: versions.length === 0 ? undefined : versions.reduce((a, b) => Math.max(a, b)) }
}

export const formatEntry = (actions: readonly Action[]): Buffer =>
  Buffer.from(actions.map(action => `${stringifyJson(action)}\n`).join(''))

/** Files are the bulk of foreign entries; an append needs none of them. */
const FILE_ACTION = /^\{\s*"(?:add|remove|cdc)"\s*:/

/**
 * The actions of an entry, without files unless asked for. Throws FatalError `DeltaLogCorrupt` on what is no JSON: a
 * reader that skips it would go on from another table than the one other readers see.
 */
export function parseEntry(bytes: Buffer, path: string, options: { withFiles: boolean }): readonly Action[] {
  const actions: Action[] = []
  for (const line of bytes.toString('utf8').split('\n')) {
    if (line.trim() === '' || (!options.withFiles && FILE_ACTION.test(line))) continue
    try {
      actions.push(parseJson(line) as Action)
    } catch (error) {
      const remedy = 'Restore the object from a backup, or give the topics another table in spec.topics[].table.'
      throw new FatalError('DeltaLogCorrupt', `${path} is not valid Delta log JSON. ${remedy}`, { cause: error })
    }
  }
  return actions
}
