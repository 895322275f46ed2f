import type { S3Sink, SettledPipeline } from '../../../crds/settled.ts'
import { atOnce } from '../../../lib/at-once.ts'
import type { Clock } from '../../../lib/clock.ts'
import { invariant } from '../../../lib/errors.ts'
import type { Gate } from '../../../lib/gate.ts'
import type { Log } from '../../../lib/log.ts'
import type { Batch } from '../../batch.ts'
import type { TablePlan } from '../../columns/bronze.ts'
import { partitionId } from '../../partition.ts'
import type { CommitAuthor, CommitOutcome, Recovered, Sink, Staged } from '../../sink.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { DEFAULT_COMMIT_ATTEMPTS } from '../attempts.ts'
import { batchConstants } from '../constants.ts'
import { formatKey, newestOffsets, stagedRange } from '../offset-key.ts'
import type { CommitObject } from './commit-object.ts'
import { Commits } from './commits.ts'
import { suffixOf, writeObject } from './data-object.ts'
import { checkTemplate } from './path-template.ts'
import { plannedObjects } from './planned-object.ts'
import { publish, publishAgain } from './publish.ts'
import { commitsOf, type StagedObject, type StagedObjects } from './staged.ts'
import { S3Table } from './table.ts'

export interface S3SinkOptions {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  readonly sink: S3Sink
  /** Rooted at the sink's location. */
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
  readonly author: CommitAuthor
  /** Through it go the objects of lines of all tables of a process. */
  readonly lines: Gate
  /** Default 40, of which trouble with the store takes at most 15 s. */
  readonly commitAttempts?: number
}

/** One table and its dead-letter table as objects. FatalError when the pipeline's path leads elsewhere. */
export function openS3Sink(options: S3SinkOptions): Sink {
  checkTemplate(options.sink.path)
  return new ObjectSink(options)
}

/** Objects that are written at once: each may hold some MiB on its way. */
const UPLOADS_AT_ONCE = 2
const COMMITS_AT_ONCE = 16

/**
 * Each key (topic, incarnation, partition) has a chain of commit objects, each named by where the one before it ended; whoever
 * creates the next one has committed. Nothing else is needed to be exact: data lie there before, under names that nobody has in view.
 */
class ObjectSink implements Sink {
  readonly #options: S3SinkOptions
  readonly #table: S3Table
  readonly #deadLetterTable: S3Table | undefined
  readonly #commits: Commits
  /** Where the chains that we have followed end, by formatted key. Others may have gone on since: the next commit tells. */
  readonly #ends = new Map<string, number>()

  constructor(options: S3SinkOptions) {
    this.#options = options
    const { plan, sink, store, clock, log, commitAttempts = DEFAULT_COMMIT_ATTEMPTS } = options
    const ports = { store, layout: sink.layout, clock, log, commitAttempts }
    this.#table = new S3Table({ ...ports, name: plan.table, fields: plan.schema.fields })
    if (plan.deadLetterTable !== undefined) {
      const { deadLetterTable: name, deadLetterSchema } = plan
      this.#deadLetterTable = new S3Table({ ...ports, name, fields: deadLetterSchema.fields })
    }
    this.#commits = new Commits({ ...ports, table: plan.table })
  }

  async open(): Promise<void> {
    await this.#table.open()
    await this.#deadLetterTable?.open()
  }

  async recover(topics: readonly string[]): Promise<Recovered> {
    const { store, sink, log } = this.#options
    this.#ends.clear()
    await this.#table.refresh()
    const newest = await this.#commits.newest(topics)
    if (sink.layout === 'Glob') await publishAgain(store, newest, log)
    for (const { key, next } of newest) this.#ends.set(formatKey(key), next)
    const held = newest.map(({ key, next, committedMs }) => ({ key, nextOffset: next, updatedMs: committedMs }))
    return { ...newestOffsets(held, topics), columns: this.#table.columns }
  }

  async stage(batch: Batch): Promise<Staged> {
    const { plan, sink, store, lines } = this.#options
    const schemas = new Set(batch.parts.flatMap(({ rows }) => rows.map(({ schema }) => schema)))
    for (const { fields } of schemas) await this.#table.addColumns(fields)
    const planned = plannedObjects(batch, plan, sink, suffixOf(sink))
    const objects = await atOnce(UPLOADS_AT_ONCE, planned, async ({ staged, groups }): Promise<StagedObject> => {
      if (!staged.isDeadLetters) this.#setConstants(groups, batch.takenAtMs)
      const write = async () => await writeObject(store, staged.path, groups, sink)
      return { ...staged, ...(sink.format === 'Ndjson' ? await lines.run(write) : await write()) }
    })
    const files: StagedObjects = { objects }
    return { commitId: batch.commitId, takenAtMs: batch.takenAtMs, ranges: batch.parts.map(stagedRange), files }
  }

  async commit(staged: readonly Staged[]): Promise<CommitOutcome> {
    const [first] = staged
    invariant(first !== undefined, 'a commit has something staged')
    const { author, clock, sink, store } = this.#options
    const commits = commitsOf(staged, author, clock.now())
    await this.#table.verify()
    const moved = (await atOnce(COMMITS_AT_ONCE, commits, async commit => await this.#moved(commit))).flat()
    if (moved.length > 0) return fenced(moved)
    const made = await atOnce(COMMITS_AT_ONCE, commits, async commit => ({ commit, faster: await this.#make(commit) }))
    const ours = made.flatMap(({ commit, faster }) => (faster === undefined ? [commit] : []))
    if (sink.layout === 'Glob') await publish(store, ours)
    const lost = made.flatMap(({ commit, faster }) => (faster === undefined ? [] : [{ commit, by: faster.by }]))
    return lost.length > 0 ? fenced(lost) : { status: 'committed', version: first.commitId }
  }

  async close(): Promise<void> {}

  /** Looks at a chain that we have not followed to where the commit goes on from; empty when it ends there. */
  async #moved(commit: CommitObject): Promise<readonly Fenced[]> {
    const { store, sink, log } = this.#options
    const key = formatKey(commit.key)
    const { expected } = commit
    if (expected !== undefined && this.#ends.get(key) === expected) return []
    const newest = await this.#commits.newestOf(commit.key)
    if (newest?.next !== expected) return isOurs(commit, newest) ? [] : [{ commit, by: newest?.author }]
    // Nobody looks at it again once it is not the newest any more.
    if (newest !== undefined && sink.layout === 'Glob') await publishAgain(store, [newest], log)
    return []
  }

  async #make(commit: CommitObject): Promise<{ readonly by: CommitAuthor } | undefined> {
    const key = formatKey(commit.key)
    // Until the outcome is known.
    this.#ends.delete(key)
    const faster = await this.#commits.make(commit)
    if (faster === undefined) this.#ends.set(key, commit.next)
    return faster
  }

  #setConstants(groups: ReturnType<typeof plannedObjects>[number]['groups'], takenAtMs: number): void {
    for (const group of groups) {
      const constants = batchConstants(this.#options.plan.entries, group.schema, takenAtMs)
      for (const [name, value] of constants) group.setConstant(name, value)
    }
  }
}

interface Fenced {
  readonly commit: CommitObject
  readonly by: CommitAuthor | undefined
}

/** A batch that is committed again, after an outcome that was not known. */
const isOurs = ({ commitIds }: CommitObject, newest: CommitObject | undefined): boolean =>
  newest !== undefined && commitIds.every(id => newest.commitIds.includes(id))

const fenced = (moved: readonly Fenced[]): CommitOutcome => ({
  status: 'fenced',
  partitions: [...new Set(moved.map(({ commit }) => partitionId(commit.key)))],
  by: moved.find(({ by }) => by !== undefined)?.by
})
