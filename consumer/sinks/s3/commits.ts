import { atOnce } from '../../../lib/at-once.ts'
import type { Clock } from '../../../lib/clock.ts'
import { FatalError, RetryableError } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { CommitAuthor } from '../../sink.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { untilDone } from '../attempts.ts'
import type { OffsetKey } from '../offset-key.ts'
import { formatCommit, parseCommit, type CommitObject } from './commit-object.ts'
import { commitPath, commitsFolder, isCommitPath, topicFolder } from './names.ts'

/** Requests that are under way at once. */
const AT_ONCE = 16
const PARTITION = /^(?:0|[1-9]\d*)$/

export interface CommitsOptions {
  /** Rooted at the sink's location. */
  readonly store: ObjectStore
  readonly table: string
  readonly clock: Clock
  readonly log: Log
  readonly commitAttempts: number
}

/** The commit objects of one table. */
export class Commits {
  readonly #options: CommitsOptions

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  /** The newest of every key of these topics: a listing per topic and incarnation, then two requests per key. */
  async newest(topics: readonly string[]): Promise<readonly CommitObject[]> {
    const { store, table } = this.#options
    const folders = await atOnce(
      AT_ONCE,
      topics,
      async topic => await partitionFolders(store, topicFolder(table, topic))
    )
    const found = await atOnce(AT_ONCE, folders.flat(), async folder => await this.#first(folder))
    return found.filter(each => each !== undefined)
  }

  /** Of one key. */
  async newestOf(key: OffsetKey): Promise<CommitObject | undefined> {
    const path = commitPath(this.#options.table, key, undefined)
    return await this.#first(path.slice(0, path.lastIndexOf('/') + 1))
  }

  /**
   * Makes a commit, if nobody has gone on from the same offset. Undefined: it is made; else who was faster. RetryableError when that
   * cannot be told.
   */
  async make(commit: CommitObject): Promise<undefined | { readonly by: CommitAuthor }> {
    const { store, table } = this.#options
    const path = commitPath(table, commit.key, commit.expected)
    const bytes = formatCommit(commit)
    const options = { ...this.#options, name: table, title: `S3 table ${table}` }
    const { by } = await untilDone<{ by: CommitAuthor | undefined }>(options, 'a commit', async () => {
      if ((await store.putIfAbsent(path, [bytes])) === 'created') return { by: undefined }
      const there = await store.get(path)
      if (there === undefined) throw new RetryableError('CommitOutcomeUnknown', `${path} was there, and has gone`)
      const { commitIds, author } = parseCommit(there, table, path)
      // An earlier attempt took effect after all.
      const isOurs = commit.commitIds.every(id => commitIds.includes(id))
      return { by: isOurs ? undefined : author }
    })
    return by === undefined ? undefined : { by }
  }

  async #first(folder: string): Promise<CommitObject | undefined> {
    const { store, table } = this.#options
    for await (const { path } of store.list(folder, undefined, 1)) {
      const commit = await readCommit(store, table, path)
      if (commit === undefined) throw new RetryableError('TableChanging', `${path} has just gone`)
      return commit
    }
    return undefined
  }
}

/** Undefined when it is gone. FatalError when it is not a commit object of ours. */
export async function readCommit(store: ObjectStore, table: string, path: string): Promise<CommitObject | undefined> {
  if (!isCommitPath(path)) {
    throw new FatalError(
      'ForeignObject',
      `${path} is not one of ours. Remove it, or name another table in spec.topics[].table.`
    )
  }
  const bytes = await store.get(path)
  return bytes === undefined ? undefined : parseCommit(bytes, table, path)
}

/** Folders of commit objects, each of one key of the topic whose folder it is. */
export async function partitionFolders(store: ObjectStore, topicFolder: string): Promise<readonly string[]> {
  const incarnations = await store.folders(topicFolder)
  const partitions = await atOnce(AT_ONCE, incarnations, async incarnation => {
    const folder = `${topicFolder}${incarnation}/`
    const names = await store.folders(folder)
    return names.filter(name => PARTITION.test(name)).map(name => `${folder}${name}/`)
  })
  return partitions.flat()
}

/** The folders of all topics that the table knows. */
export async function topicFolders(store: ObjectStore, table: string): Promise<readonly string[]> {
  const folder = commitsFolder(table)
  return (await store.folders(folder)).map(name => `${folder}${name}/`)
}
