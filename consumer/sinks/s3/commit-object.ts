import { FatalError } from '../../../lib/errors.ts'
import type { CommitAuthor } from '../../sink.ts'
import type { OffsetKey } from '../offset-key.ts'
import { commitPath, isOwnPath, isSafePath, isTableName, stagedFolder, tableFolder } from './names.ts'

/** Of the objects that say what is in a table; readers of an older version must refuse a newer one. */
export const FORMAT_VERSION = 1

/** One commit of one key: from `expected` (undefined: the table held nothing of the key) to `next`. */
export interface CommitObject {
  readonly key: OffsetKey
  readonly expected: number | undefined
  readonly next: number
  /** Of the staged batches that are in it, by which their maker knows it again. */
  readonly commitIds: readonly string[]
  /** The same in all objects of one commit. */
  readonly committedMs: number
  readonly author: CommitAuthor
  readonly objects: readonly CommittedObject[]
  readonly deadLetters: readonly (CommittedObject & { readonly table: string })[]
}

export interface CommittedObject {
  /** Relative to the sink's location. */
  readonly path: string
  readonly rows: number
  readonly bytes: number
  /** Layout Glob: where it lies until it is copied to `path`. */
  readonly staged?: string | undefined
}

export function formatCommit(commit: CommitObject): Buffer {
  const { key, expected, next, commitIds, committedMs, author, objects, deadLetters } = commit
  const text = {
    version: FORMAT_VERSION,
    ...key,
    expected: expected ?? null,
    next,
    commitIds,
    committedAt: new Date(committedMs).toISOString(),
    author,
    records: rowsOf(objects),
    objects,
    deadLetters
  }
  return Buffer.from(`${JSON.stringify(text)}\n`)
}

export const rowsOf = (objects: readonly CommittedObject[]): number => objects.reduce((sum, { rows }) => sum + rows, 0)

/**
 * The reverse, of the object at `path`, which anybody who may write to the store can have made: it names objects that we copy and
 * delete. FatalError when it is of a newer version or not what its path says.
 */
export function parseCommit(bytes: Buffer, table: string, path: string): CommitObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.toString())
  } catch {
    throw damaged(path, 'is no JSON')
  }
  const json = object(parsed)
  if (json === undefined) throw damaged(path, 'is no JSON object')
  checkVersion(json['version'], path)
  const commit = commitOf(json, table)
  if (typeof commit === 'string') throw damaged(path, `has an invalid ${commit}`)
  if (commitPath(table, commit.key, commit.expected) !== path) throw damaged(path, 'belongs to another path')
  return commit
}

/** FatalError unless we know the version. */
export function checkVersion(version: unknown, path: string): void {
  if (version === FORMAT_VERSION) return
  throw new FatalError(
    'UnsupportedFormat',
    `${path} has format version ${JSON.stringify(version)?.slice(0, 20)}, this consumer knows ${FORMAT_VERSION}. ` +
      'Use a newer consumer image, or name another table in spec.topics[].table.'
  )
}

export const damaged = (path: string, what: string): FatalError =>
  new FatalError(
    'TableDamaged',
    `${path} ${what}: it was not written by a consumer, or was changed since. Restore it from a backup or an older version, ` +
      'or name another table in spec.topics[].table.'
  )

type Json = Readonly<Record<string, unknown>>

/** The commit, or the name of the first field that is not as it should be. */
function commitOf(json: Json, table: string): CommitObject | string {
  const { topic, topicId, epoch, partition, expected, next, commitIds } = json
  const author = object(json['author'])
  if (typeof topic !== 'string' || topic === '') return 'topic'
  if (typeof topicId !== 'string') return 'topicId'
  if (!isCount(epoch)) return 'epoch'
  if (!isCount(partition)) return 'partition'
  if (expected !== null && !isCount(expected)) return 'expected'
  if (!isCount(next) || next < (expected ?? 0)) return 'next'
  if (!isTexts(commitIds) || commitIds.length === 0) return 'commitIds'
  const committedMs = Date.parse(text(json['committedAt']))
  if (Number.isNaN(committedMs)) return 'committedAt'
  if (author === undefined || text(author['pipeline']) === '') return 'author'
  const objects = objectsOf(json['objects'], table, () => table)
  if (objects === undefined) return 'objects'
  const deadLetters = objectsOf(json['deadLetters'], table, each => text(each['table']))
  if (deadLetters === undefined) return 'deadLetters'
  return {
    key: { topic, topicId, epoch, partition },
    expected: expected ?? undefined,
    next,
    commitIds,
    committedMs,
    author: {
      pipeline: text(author['pipeline']),
      createdAt: typeof author['createdAt'] === 'string' ? author['createdAt'] : undefined,
      consumerId: text(author['consumerId'])
    },
    objects: objects.map(({ committed }) => committed),
    deadLetters: deadLetters.map(({ committed, home }) => ({ table: home, ...committed }))
  }
}

/** Undefined unless all are well-formed and lie in the folder of the table that is their home. */
function objectsOf(value: unknown, table: string, homeOf: (each: Json) => string) {
  if (!Array.isArray(value)) return undefined
  const found: { readonly committed: CommittedObject; readonly home: string }[] = []
  for (const item of value) {
    const each = object(item) ?? {}
    const { path, rows, bytes, staged } = each
    const home = homeOf(each)
    if (
      !isTableName(home) ||
      !isInside(path, tableFolder(home)) ||
      isOwnPath(path) ||
      !isCount(rows) ||
      !isCount(bytes)
    )
      return undefined
    if (staged !== undefined && !isInside(staged, stagedFolder(table))) return undefined
    found.push({ committed: { path, rows, bytes, ...(staged === undefined ? {} : { staged }) }, home })
  }
  return found
}

const isInside = (path: unknown, folder: string): path is string =>
  typeof path === 'string' && path.startsWith(folder) && isSafePath(path)

const object = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
