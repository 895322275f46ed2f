import type { SettledPipeline } from '../../../crds/settled.ts'
import type { Clock } from '../../../lib/clock.ts'
import { FatalError, invariant } from '../../../lib/errors.ts'
import type { Log } from '../../../lib/log.ts'
import type { Batch } from '../../batch.ts'
import type { TablePlan } from '../../columns/bronze.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import type { TableSchema } from '../../columns/schema.ts'
import type { CommitAuthor, CommitOutcome, Recovered, Sink, Staged } from '../../sink.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { under } from '../../store/under.ts'
import { DEFAULT_COMMIT_ATTEMPTS } from '../attempts.ts'
import { batchConstants } from '../constants.ts'
import { formatKey, mergeRanges, stagedRange } from '../offset-key.ts'
import type { DataFile } from './actions.ts'
import { writeDataFile } from './data-file.ts'
import { DeadLetters } from './dead-letters.ts'
import { columnsOf, commitIdsOf, deadLettersOf, keysOf, mainEntry, type StagedFiles } from './entry.ts'
import { Maintenance } from './maintenance.ts'
import { movedPartitions, recoverOffsets } from './offsets.ts'
import { DeltaTable } from './table.ts'

export interface DeltaSinkOptions {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  /** Rooted at the sink's location; table `a.b` lies under `a/b/`. */
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
  readonly author: CommitAuthor
  /** Default 40, of which trouble with the store takes at most 15 s. */
  readonly commitAttempts?: number
  /** Whether this process writes checkpoints; true unless a test counts operations. */
  readonly checkpoints?: boolean
}

/** One bronze table and its dead-letter table as Delta tables. Offsets are `txn` actions, one per key (see `offsets.ts`). */
export function openDeltaSink(options: DeltaSinkOptions): Sink {
  return new DeltaSink(options)
}

class DeltaSink implements Sink {
  readonly #options: DeltaSinkOptions
  readonly #main: DeltaTable
  readonly #deadLetterTable: DeltaTable | undefined
  readonly #deadLetters: DeadLetters
  readonly #maintenance: Maintenance

  constructor(options: DeltaSinkOptions) {
    this.#options = options
    const { plan, author, clock, log } = options
    this.#maintenance = new Maintenance({ clock, log, isEnabled: options.checkpoints ?? true })
    this.#main = this.#table(plan.table, plan.schema, plan.growth !== undefined)
    const { deadLetterTable: name, deadLetterSchema: schema } = plan
    this.#deadLetterTable = name === undefined || schema === undefined ? undefined : this.#table(name, schema)
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
    const { txns } = await this.#main.refresh()
    const wanted = new Set(topics)
    await this.#deadLetters.publishPending(({ topic }) => wanted.has(topic))
    return { ...recoverOffsets(txns, topics), columns: this.#main.columns }
  }

  async stage(batch: Batch): Promise<Staged> {
    const { commitId, takenAtMs, parts } = batch
    const { plan } = this.#options
    const groups = parts.flatMap(part => part.rows).filter(({ rows }) => rows > 0)
    const bySchema = [...Map.groupBy(groups, ({ schema }) => schema)]
    const rows: DataFile[] = []
    for (const [index, [schema, each]] of bySchema.entries()) {
      const id = index === 0 ? commitId : `${commitId}-${index}`
      rows.push(await this.#writeFile(this.#main, schema, each, id, takenAtMs))
    }
    const columns = bySchema.map(([schema]) => schema.fields.slice(plan.schema.fields.length))
    const bad = parts.filter(({ deadLetters }) => deadLetters !== undefined && deadLetters.rows > 0)
    const table = this.#deadLetterTable
    let deadLetters: StagedFiles['deadLetters']
    if (bad.length > 0) {
      invariant(table !== undefined && plan.deadLetterSchema !== undefined, 'dead letters come only under policy Table')
      const groups = bad.flatMap(part => part.deadLetters ?? [])
      const file = await this.#writeFile(table, plan.deadLetterSchema, groups, commitId, takenAtMs)
      deadLetters = {
        table: table.name,
        file,
        keys: bad.map(part => formatKey({ ...part.partition, epoch: part.epoch }))
      }
    }
    const files: StagedFiles = { rows, columns, deadLetters }
    return { commitId, takenAtMs, ranges: parts.map(stagedRange), files }
  }

  async commit(staged: readonly Staged[]): Promise<CommitOutcome> {
    invariant(staged.length > 0, 'a commit has something staged')
    const { author, clock } = this.#options
    const merged = mergeRanges(staged.flatMap(({ ranges }) => ranges))
    const withDeadLetters = new Set(keysOf(deadLettersOf(staged)))
    const hasDeadLetters = withDeadLetters.size > 0
    // A marker remembers one version only: what an earlier commit decided for these keys must be out before the next.
    if (hasDeadLetters) await this.#deadLetters.publishPending(key => withDeadLetters.has(formatKey(key)))
    const outcome = await this.#main.transact<CommitOutcome>(
      commitIdsOf(staged),
      (snapshot, version) => {
        const { keys, partitions } = movedPartitions(merged, snapshot.txns)
        if (partitions.length === 0)
          return { write: mainEntry(staged, { tableId: snapshot.metadata.id, version }, author, clock.now()) }
        const by = keys.map(key => snapshot.authors.get(key)).find(each => each !== undefined)
        return { stop: { status: 'fenced', partitions, by } }
      },
      columnsOf(staged)
    )
    if ('stop' in outcome) return outcome.stop
    if (hasDeadLetters) await this.#deadLetters.publishPending(key => withDeadLetters.has(formatKey(key)))
    return { status: 'committed', version: String(outcome.version) }
  }

  async close(): Promise<void> {
    await this.#maintenance.close()
  }

  async #writeFile(
    table: DeltaTable,
    schema: TableSchema,
    groups: readonly RowGroupBuffer[],
    id: string,
    takenAtMs: number
  ): Promise<DataFile> {
    const { plan, clock } = this.#options
    const constants = batchConstants(plan.entries, schema, takenAtMs)
    const metadata = table.snapshot?.metadata
    return await writeDataFile(groups, { store: table.store, schema, metadata, constants, id, clock })
  }

  #table(name: string, schema: TableSchema | undefined, growsColumns = false): DeltaTable {
    const { clock, log, commitAttempts = DEFAULT_COMMIT_ATTEMPTS } = this.#options
    const store = under(this.#options.store, `${name.replaceAll('.', '/')}/`)
    return new DeltaTable({
      store,
      name,
      schema,
      growsColumns,
      clock,
      log,
      commitAttempts,
      onCommit: snapshot => this.#maintenance.onCommit(store, name, snapshot)
    })
  }

  async #openExisting(name: string): Promise<DeltaTable | undefined> {
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
