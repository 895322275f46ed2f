import type { SettledPipeline } from '../../../crds/settled.ts'
import type { Clock } from '../../../lib/clock.ts'
import { FatalError, invariant } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { Batch, BatchPart } from '../../batch.ts'
import type { TablePlan } from '../../columns/bronze.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import type { TableSchema } from '../../columns/schema.ts'
import type { CommitAuthor, CommitOutcome, Recovered, Sink, Staged } from '../../sink.ts'
import { DEFAULT_COMMIT_ATTEMPTS } from '../attempts.ts'
import { batchConstants } from '../constants.ts'
import { formatKey, mergeRanges, stagedRange } from '../offset-key.ts'
import { prepareAppend } from './append.ts'
import type { Catalog } from './catalog/catalog.ts'
import { DeadLetters } from './dead-letters.ts'
import type { NewManifest } from './manifest-list.ts'
import { currentSchema } from './metadata.ts'
import { authorOf, movedPartitions, nextState, readState, recoverOffsets } from './offsets.ts'
import { OneStep } from './one-step.ts'
import { tableColumns } from './schema.ts'
import type { PendingDeadLetters } from './state.ts'
import type { OpenStore } from './stores.ts'
import { IcebergTable } from './table.ts'
import { uploadFiles } from './upload.ts'

export interface IcebergSinkOptions {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  /** Shared by all tables of the process; whoever opened it closes it. */
  readonly catalog: Catalog
  readonly openStore: OpenStore
  readonly clock: Clock
  readonly log: Log
  readonly author: CommitAuthor
  /** Default 40, of which trouble with catalog and store takes at most 15 s. */
  readonly commitAttempts?: number
}

/** What `stage` leaves for `commit`: plain JSON. */
interface StagedFiles {
  readonly rows: readonly NewManifest[]
  readonly deadLetters: StagedDeadLetters | undefined
}

interface StagedDeadLetters {
  readonly table: string
  readonly tableUuid: string
  readonly manifests: readonly NewManifest[]
  readonly keys: readonly string[]
}

/**
 * One bronze table and its dead-letter table as Iceberg tables. Every snapshot's summary carries the complete map of next
 * offsets (see `state.ts`).
 */
export function openIcebergSink(options: IcebergSinkOptions): Sink {
  return new IcebergSink(options)
}

class IcebergSink implements Sink {
  readonly #options: IcebergSinkOptions
  readonly #main: IcebergTable
  readonly #deadLetterTable: IcebergTable | undefined
  readonly #deadLetters: DeadLetters

  constructor(options: IcebergSinkOptions) {
    this.#options = options
    const { plan, author, clock, log } = options
    this.#main = this.#table(plan.table, plan.schema)
    const { deadLetterTable: name, deadLetterSchema: schema } = plan
    this.#deadLetterTable = name === undefined ? undefined : this.#table(name, schema)
    this.#deadLetters = new DeadLetters({
      main: this.#main,
      own: this.#deadLetterTable,
      openOther: async table => await this.#openExisting(table),
      author,
      clock,
      log
    })
  }

  async open(): Promise<void> {
    await this.#main.open()
    await this.#deadLetterTable?.open()
  }

  async recover(topics: readonly string[]): Promise<Recovered> {
    const metadata = await this.#main.refresh()
    const { state } = readState(metadata, this.#main.name)
    const wanted = new Set(topics)
    await this.#deadLetters.publishPending(key => wanted.has(key.split(':')[0] ?? ''))
    return { ...recoverOffsets(state, topics), columns: tableColumns(currentSchema(metadata)) }
  }

  async stage(batch: Batch): Promise<Staged> {
    const { commitId, takenAtMs, parts } = batch
    const { plan } = this.#options
    const rows = await this.#upload(this.#main, plan.schema, batch, part => part.rows)
    const bad = parts.filter(({ deadLetters }) => deadLetters !== undefined && deadLetters.rows > 0)
    const table = this.#deadLetterTable
    let deadLetters: StagedDeadLetters | undefined
    if (bad.length > 0) {
      invariant(table !== undefined, 'dead letters come only under policy Table')
      const manifests = await this.#upload(table, plan.deadLetterSchema, batch, part =>
        part.deadLetters === undefined ? [] : [part.deadLetters]
      )
      const keys = bad.map(part => formatKey({ ...part.partition, epoch: part.epoch }))
      deadLetters = { table: table.name, tableUuid: table.metadata.tableUuid, manifests, keys }
    }
    const files: StagedFiles = { rows, deadLetters }
    return { commitId, takenAtMs, ranges: parts.map(stagedRange), files }
  }

  async commit(staged: readonly Staged[]): Promise<CommitOutcome> {
    invariant(staged.length > 0, 'a commit has something staged')
    const ranges = staged.flatMap(each => each.ranges)
    const merged = mergeRanges(ranges)
    const commitIds = staged.map(({ commitId }) => commitId)
    const manifests = staged.flatMap(each => filesOf(each).rows)
    const { author, clock } = this.#options
    const decided = joined(staged.flatMap(each => filesOf(each).deadLetters ?? []))
    const keys = new Set(decided.flatMap(each => each.keys))
    // A marker remembers one commit only: what an earlier one decided for these keys must be out before the next.
    if (keys.size > 0) await this.#deadLetters.publishPending(key => keys.has(key))
    const step = await this.#step(decided)
    const outcome = await this.#main.transact<CommitOutcome>(
      commitIds,
      metadata => {
        const { state } = readState(metadata, this.#main.name)
        const moved = movedPartitions(merged, state)
        if (moved.partitions.length > 0)
          return { stop: { status: 'fenced', partitions: moved.partitions, by: authorOf(metadata, moved.keys) } }
        const sequenceNumber = metadata.lastSequenceNumber + 1
        const deadLetters = decided.map(each => ({ ...each, sequenceNumber, commitIds }))
        const isPublished = (each: PendingDeadLetters) => this.#deadLetters.isDone(each)
        const after = nextState(state, { ranges: merged, staged: ranges, deadLetters, isPublished })
        const append = { manifests, state: after, commitIds, author }
        return {
          write: async () => {
            const first = await prepareAppend(this.#main, metadata, append, clock)
            const [only] = deadLetters
            return step === undefined || only === undefined ? first : await step.prepare(first, only)
          }
        }
      },
      step?.send
    )
    if ('stop' in outcome) return outcome.stop
    if (keys.size > 0) await this.#deadLetters.publishPending(key => keys.has(key))
    return { status: 'committed', version: String(outcome.snapshot.id) }
  }

  /** Both tables in one step, where the catalog can and there are dead letters for the table as it is. */
  async #step(decided: readonly StagedDeadLetters[]): Promise<OneStep | undefined> {
    const { catalog } = this.#options
    const own = this.#deadLetterTable
    const [only, ...others] = decided
    if (own === undefined || only === undefined || others.length > 0) return undefined
    if (only.tableUuid !== own.metadata.tableUuid || !(await catalog.hasTransactions())) return undefined
    return new OneStep({ catalog, main: this.#main, own, deadLetters: this.#deadLetters })
  }

  async close(): Promise<void> {
    await this.#main.files.close()
    await this.#deadLetterTable?.files.close()
  }

  async #upload(
    table: IcebergTable,
    schema: TableSchema,
    { parts, takenAtMs, commitId }: Batch,
    pick: (part: BatchPart) => readonly RowGroupBuffer[]
  ): Promise<readonly NewManifest[]> {
    const groups = parts.flatMap(pick).filter(({ rows }) => rows > 0)
    const constants = batchConstants(this.#options.plan.entries, schema, takenAtMs)
    return await uploadFiles(table, { groups, constants, commitId })
  }

  #table(name: string, schema: TableSchema | undefined): IcebergTable {
    const { catalog, openStore, pipeline, clock, log, commitAttempts = DEFAULT_COMMIT_ATTEMPTS } = this.#options
    invariant(pipeline.sink.kind === 'iceberg', 'the pipeline writes to Iceberg')
    const { location, formatVersion } = pipeline.sink.iceberg
    return new IcebergTable({
      catalog,
      openStore,
      name,
      schema,
      location: location === undefined ? undefined : `${location}/${name.replaceAll('.', '/')}`,
      formatVersion,
      clock,
      log,
      commitAttempts
    })
  }

  async #openExisting(name: string): Promise<IcebergTable | undefined> {
    const table = this.#table(name, undefined)
    try {
      await table.open()
      return table
    } catch (error) {
      if (error instanceof FatalError && error.reason === 'TableDropped') return undefined
      throw error
    }
  }
}

const filesOf = (staged: Staged): StagedFiles => staged.files as StagedFiles

/** What several batches decided for one table is published as one. */
function joined(staged: readonly StagedDeadLetters[]): readonly StagedDeadLetters[] {
  const byTable = Map.groupBy(staged, ({ tableUuid }) => tableUuid)
  return [...byTable.values()].map(each => ({
    table: each[0]?.table ?? '',
    tableUuid: each[0]?.tableUuid ?? '',
    manifests: each.flatMap(({ manifests }) => manifests),
    keys: [...new Set(each.flatMap(({ keys }) => keys))]
  }))
}
