import type { SettledPipeline, SnowflakeSink as SnowflakeSettings } from '../../../crds/settled.ts'
import type { Clock } from '../../../lib/clock.ts'
import { FatalError, RetryableError, invariant } from '../../../lib/errors.ts'
import type { Gate } from '../../../lib/gate.ts'
import type { Log } from '../../../lib/log.ts'
import type { Batch, BatchPart } from '../../batch.ts'
import type { TablePlan } from '../../columns/bronze.ts'
import type { RowGroupBuffer } from '../../columns/row-group.ts'
import type { Field, TableSchema } from '../../columns/schema.ts'
import type { CommitAuthor, CommitOutcome, Recovered, Sink, Staged } from '../../sink.ts'
import { DEFAULT_COMMIT_ATTEMPTS, untilDone } from '../attempts.ts'
import { batchConstants } from '../constants.ts'
import { sparingBadRows } from './bad-rows.ts'
import { mergeRanges, newestOffsets, stagedRange } from '../offset-key.ts'
import { pruneCommits } from './sql/commits.ts'
import { readTopics } from './sql/ledger-table.ts'
import { ledgerRows } from './sql/ledger.ts'
import { StatementError } from './session/errors.ts'
import type { OpenSession } from './session/session.ts'
import { listStage, orphans, removeFile } from './sql/stage.ts'
import { inlineBytesOf, stageRows, type StagedFiles, type StagingLimits } from './staging.ts'
import { StuckLocks, type StuckLimits } from './stuck-locks.ts'
import { TableSession } from './table-session.ts'
import { TableState } from './table-state.ts'
import { isIn, lastId, transact, type Commit } from './transaction.ts'
import { Warehouse } from './warehouse.ts'

export interface SnowflakeSinkOptions {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  readonly snowflake: SnowflakeSettings
  readonly open: OpenSession
  readonly clock: Clock
  readonly log: Log
  readonly author: CommitAuthor
  /** Of all tables of the process: files that are made and uploaded take memory beside the buffers. */
  readonly uploads: Gate
  readonly onWarehouseSeconds?: ((table: string, seconds: number) => void) | undefined
  readonly limits?: Partial<SinkLimits>
}

export interface SinkLimits extends StagingLimits, StuckLimits {
  readonly commitAttempts: number
  readonly lockTimeoutSeconds?: number
}

const LIMITS: SinkLimits = {
  inlineBytes: 512 << 10,
  fileBytes: 4 << 20,
  commitAttempts: DEFAULT_COMMIT_ATTEMPTS,
  ledgerMs: 20_000,
  mainMs: 900_000
}

const DAY_MS = 86_400_000
/** A file of the stage that old belongs to no commit that is still to come. */
const ORPHAN_MS = 7 * DAY_MS
/** What history can look back. */
const HISTORY_MS = 30 * DAY_MS
const MAX_ORPHANS = 100

/** One bronze table and its dead-letter table in Snowflake; modes Transaction and Merge. */
export function openSnowflakeSink(options: SnowflakeSinkOptions): Sink {
  return new SnowflakeTableSink(options)
}

class SnowflakeTableSink implements Sink {
  readonly #options: SnowflakeSinkOptions
  readonly #limits: SinkLimits
  readonly #session: TableSession
  readonly #state: TableState
  readonly #warehouse: Warehouse
  readonly #stuck: StuckLocks
  #prunedMs: number

  constructor(options: SnowflakeSinkOptions) {
    const { plan, snowflake, open, clock, log, author, onWarehouseSeconds } = options
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    const { lockTimeoutSeconds } = this.#limits
    const session = new TableSession({ open, table: plan.table, author, log, lockTimeoutSeconds })
    this.#session = session
    this.#state = new TableState(session, options)
    this.#warehouse = new Warehouse({
      session,
      objects: this.#state.objects,
      name: snowflake.warehouse?.toUpperCase(),
      table: plan.table,
      clock,
      log,
      onSeconds: onWarehouseSeconds
    })
    this.#stuck = new StuckLocks(this.#state.objects, clock, log, this.#limits)
    this.#prunedMs = clock.now()
  }

  async open(): Promise<void> {
    await this.#session.reading(async () => {
      await this.#state.open()
      await this.#bestEffort('what an earlier process left', async () => {
        await this.#session.abortPredecessors()
        await this.#removeOrphans()
      })
    })
  }

  async recover(topics: readonly string[]): Promise<Recovered> {
    return await this.#session.reading(async () => {
      const columns = await this.#state.refresh()
      const { rows } = await this.#watched(async () => await this.#session.run(readTopics(this.#state.objects, topics)))
      const held = ledgerRows(rows).toSorted((one, other) => one.key.partition - other.key.partition)
      return { ...newestOffsets(held, topics), columns }
    })
  }

  async stage(batch: Batch): Promise<Staged> {
    const { commitId, takenAtMs, parts } = batch
    const { plan, uploads } = this.#options
    const groups = this.#groups(batch, part => part.rows, plan.schema)
    const letters = this.#groups(batch, ({ deadLetters }) => (deadLetters ? [deadLetters] : []), plan.deadLetterSchema)
    const fields = furtherFields(plan.schema, groups)
    await this.#session.reading(async () => await this.#state.addFields(fields))
    const { stageRef } = this.#state.objects
    const upload = async (file: Parameters<TableSession['put']>[1]) => await this.#session.put(stageRef, file)
    const rows = await stageRows(groups, `${commitId}-rows`, this.#limits, upload, uploads)
    const left = { ...this.#limits, inlineBytes: this.#limits.inlineBytes - inlineBytesOf(rows) }
    const deadLetters = await stageRows(letters, `${commitId}-dlq`, left, upload, uploads)
    return {
      commitId,
      takenAtMs,
      ranges: parts.map(stagedRange),
      files: { rows, deadLetters, fields } satisfies StagedFiles
    }
  }

  async commit(staged: readonly Staged[]): Promise<CommitOutcome> {
    invariant(staged.length > 0, 'a commit has something staged')
    const { author, clock, log, snowflake } = this.#options
    const merged = mergeRanges(staged.flatMap(({ ranges }) => ranges))
    const fields = staged.flatMap(each => filesOf(each).fields)
    const commit: Commit = { staged, merged, author, table: this.#state.tableWith(fields) }
    // Beginnings are not worth a wait, and nothing is read before they are in.
    const hasRows = staged.some(({ ranges }) => ranges.some(({ records, deadLetters }) => records + deadLetters > 0))
    if (!snowflake.flushWhenWarehouseIdle && hasRows) await this.#warehouse.awake(snowflake.maxIdleDelayMs)
    const sinceMs = clock.now()
    let isDoubtful = false
    const outcome = await this.#untilDone('a commit', async () => {
      await this.#session.abortLost()
      if (isDoubtful && (await isIn(this.#session, commit, sinceMs)))
        return { status: 'committed', version: lastId(commit) }
      isDoubtful = false
      return await sparingBadRows(this.#session, commit, log, async each => {
        return await transact(this.#session, each, clock, () => {
          isDoubtful = true
        })
      })
    })
    if (outcome.status === 'committed') await this.#afterwards(staged)
    return outcome
  }

  hurry(): void {
    this.#warehouse.hurry()
  }

  async close(): Promise<void> {
    await this.#session.discard()
  }

  async #untilDone(what: string, attempt: (count: number) => Promise<CommitOutcome>): Promise<CommitOutcome> {
    const { plan, clock, log } = this.#options
    const { commitAttempts } = this.#limits
    const title = `Snowflake table ${plan.table}`
    return await untilDone({ name: plan.table, title, clock, log, commitAttempts }, what, async count => {
      return await this.#watched(async () => await attempt(count))
    })
  }

  /** Looks closer at what Snowflake refuses: perhaps the table is gone, or somebody keeps a lock. */
  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StatementError)) throw error
      if (error.refusal === 'ObjectMissing') await this.#session.reading(async () => await this.#state.refresh())
      if (error.refusal === 'Locked') await this.#stuck.onLockTimeout(this.#session)
      if (error.refusal === 'ColumnMissing')
        throw new RetryableError('SchemaMoved', 'a column of the table is gone', { cause: error })
      throw error
    }
  }

  /** What may as well be done later, while the warehouse is awake. */
  async #afterwards(staged: readonly Staged[]): Promise<void> {
    const { clock } = this.#options
    await this.#bestEffort('what follows a commit', async () => {
      const { objects } = this.#state
      for (const name of staged.flatMap(namesOf)) await this.#session.run(removeFile(objects, name))
      await this.#warehouse.tellCost()
      if (clock.now() - this.#prunedMs < DAY_MS) return
      this.#prunedMs = clock.now()
      await this.#session.begin()
      await this.#session.run(pruneCommits(objects, clock.now() - HISTORY_MS))
      await this.#session.commit()
    })
  }

  async #removeOrphans(): Promise<void> {
    const { objects } = this.#state
    const { rows } = await this.#session.run(listStage(objects))
    const names = orphans(rows, this.#options.clock.now() - ORPHAN_MS).slice(0, MAX_ORPHANS)
    for (const name of names) await this.#session.run(removeFile(objects, name))
  }

  async #bestEffort(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await this.#session.reading(work)
    } catch (error) {
      if (!(error instanceof RetryableError || error instanceof FatalError)) throw error
      this.#options.log.debug(`${what} could not be done`, { table: this.#options.plan.table })
    }
  }

  #groups(
    { parts, takenAtMs }: Batch,
    pick: (part: BatchPart) => readonly RowGroupBuffer[],
    schema: TableSchema
  ): readonly RowGroupBuffer[] {
    const constants = batchConstants(this.#options.plan.entries, schema, takenAtMs)
    const groups = parts.flatMap(pick).filter(({ rows }) => rows > 0)
    for (const group of groups) for (const [name, value] of constants) group.setConstant(name, value)
    return groups
  }
}

/** What the rows have that the plan does not name, by name. */
function furtherFields({ fields }: TableSchema, groups: readonly RowGroupBuffer[]): readonly Field[] {
  const known = new Set(fields.map(({ name }) => name))
  const further = groups.flatMap(({ schema }) => schema.fields).filter(({ name }) => !known.has(name))
  return [...new Map(further.map(field => [field.name, field])).values()]
}

const filesOf = ({ files }: Staged): StagedFiles => files as StagedFiles

const namesOf = (staged: Staged): readonly string[] => {
  const { rows, deadLetters } = filesOf(staged)
  return [rows, deadLetters].flatMap(each => (each.kind === 'files' ? each.names : []))
}
