import type { SettledPipeline, SnowflakeSink } from '../../../../crds/settled.ts'
import type { Clock } from '../../../../lib/clock.ts'
import { FatalError, RetryableError, invariant } from '../../../../lib/errors.ts'
import type { Log } from '../../../../lib/log.ts'
import type { Batch } from '../../../batch.ts'
import type { TablePlan } from '../../../columns/bronze.ts'
import type { Field } from '../../../columns/schema.ts'
import type { CommitAuthor, CommitOutcome, Recovered, Sink, Staged, TableColumn } from '../../../sink.ts'
import { batchConstants } from '../../constants.ts'
import { newestOffsets, stagedRange, type KeyOffset } from '../../offset-key.ts'
import type { TableObjects } from '../sql/objects.ts'
import { StreamingCommit, type CommitLimits } from './commit.ts'
import { Holds } from './holds.ts'
import type { StreamingLedger } from './ledger.ts'
import { channelName, defaultPipe } from './names.ts'
import type { Pipe, StreamingService } from './service.ts'
import { memberName, stagePart } from './staged.ts'
import { TARGET_BYTES } from './requests.ts'

/** The table itself and its columns, by SQL. */
export interface StreamingTables {
  readonly objects: TableObjects
  open(): Promise<void>
  refresh(): Promise<readonly TableColumn[]>
  addFields(fields: readonly Field[]): Promise<void>
}

export interface StreamingSinkOptions {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  readonly snowflake: SnowflakeSink
  readonly tables: StreamingTables
  readonly ledger: StreamingLedger
  /** Shared by all tables of the process; whoever opened it closes it. */
  readonly service: StreamingService
  readonly clock: Clock
  readonly log: Log
  readonly author: CommitAuthor
  readonly limits?: Partial<StreamingLimits>
}

export interface StreamingLimits extends CommitLimits {
  /** NDJSON gathered for one append, before compression. */
  readonly requestBytes: number
}

/** A commit that takes longer than this starts anew from where the table is. */
const LIMITS: StreamingLimits = { commitMs: 60_000, politeMs: 15_000, attempts: 4, requestBytes: TARGET_BYTES }

/**
 * One bronze table, fed through Snowpipe Streaming: a channel for each key, whose offset token is the key's next offset. What it
 * promises, and why that holds: docs/decisions/0020-streaming-channels-and-a-ledger.md.
 */
export function openStreamingSink(options: StreamingSinkOptions): Sink {
  return new StreamingTableSink(options)
}

class StreamingTableSink implements Sink {
  readonly #options: StreamingSinkOptions
  readonly #holds: Holds
  readonly #mainPipe: Pipe
  readonly #offsetColumn: string
  readonly #limits: StreamingLimits
  /** Columns that the table has, in upper case. */
  #columns: ReadonlySet<string> = new Set()

  constructor(options: StreamingSinkOptions) {
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    const { plan, tables, service, ledger, clock } = options
    const { database, schema, table, ledgerRef, deadLetterRef, deadLetterTable } = tables.objects
    this.#mainPipe = { database, schema, name: defaultPipe(table) }
    const lettersPipe = deadLetterRef && deadLetterTable && pipeOf(deadLetterRef, deadLetterTable)
    this.#holds = new Holds({
      table: plan.table,
      ledgerTable: ledgerRef,
      mainPipe: this.#mainPipe,
      lettersPipe: lettersPipe === '' ? undefined : lettersPipe,
      service,
      ledger,
      clock
    })
    const offset = plan.entries[0]?.metadataColumns.find(({ source }) => source === 'Offset')
    invariant(offset !== undefined, 'Offset is staged for Snowflake')
    this.#offsetColumn = offset.name
  }

  async open(): Promise<void> {
    await this.#options.tables.open()
    await this.#refresh()
  }

  async recover(topics: readonly string[]): Promise<Recovered> {
    const { ledger, service } = this.#options
    this.#holds.dropUnclean()
    const columns = await this.#refresh()
    const entries = await ledger.read(topics)
    const states = await service.statuses(
      this.#mainPipe,
      entries.map(({ key }) => channelName(key))
    )
    const newest = new Map<string, number>()
    for (const { key } of entries) newest.set(key.topic, Math.max(key.epoch, newest.get(key.topic) ?? 0))
    const held = entries.flatMap((entry): KeyOffset[] => {
      const isNewest = entry.key.epoch === newest.get(entry.key.topic)
      const { next } = this.#holds.look(entry, states.get(channelName(entry.key)), isNewest)
      return next === undefined ? [] : [{ key: entry.key, nextOffset: next, updatedMs: entry.updatedMs }]
    })
    return { ...newestOffsets(held, topics), columns }
  }

  async stage(batch: Batch): Promise<Staged> {
    const { plan, tables } = this.#options
    const { commitId, takenAtMs, parts } = batch
    const groups = parts.flatMap(({ rows }) => rows)
    const fields = groups.flatMap(({ schema }) => schema.fields)
    await tables.addFields([...new Map(fields.map(field => [field.name, field])).values()])
    this.#columns = this.#columns.union(new Set(fields.flatMap(field => memberName(field) ?? [])))
    for (const group of groups) {
      for (const [name, value] of batchConstants(plan.entries, group.schema, takenAtMs)) group.setConstant(name, value)
    }
    return {
      commitId,
      takenAtMs,
      ranges: parts.map(stagedRange),
      files: parts.map(part => stagePart(part, this.#offsetColumn, this.#limits.requestBytes))
    }
  }

  async commit(staged: readonly Staged[]): Promise<CommitOutcome> {
    invariant(staged.length > 0, 'a commit has something staged')
    const { plan, service, ledger, clock, author, log, tables } = this.#options
    const commit = new StreamingCommit(staged, {
      table: plan.table,
      ledgerTable: tables.objects.ledgerRef,
      holds: this.#holds,
      mainPipe: this.#mainPipe,
      columns: this.#columns,
      service,
      ledger,
      clock,
      author,
      log,
      limits: this.#limits
    })
    return await commit.run()
  }

  /** The service deletes channels that get no rows: the ledger is told where they end, as far as it can be reached. */
  async close(): Promise<void> {
    const { ledger, log, plan } = this.#options
    try {
      await this.#holds.settle()
    } catch (error) {
      if (!(error instanceof RetryableError || error instanceof FatalError)) throw error
      log.warn('the ends of channels could not be written down', { table: plan.table, code: codeOf(error) })
    }
    await ledger.close()
  }

  async #refresh(): Promise<readonly TableColumn[]> {
    const columns = await this.#options.tables.refresh()
    this.#columns = new Set(columns.map(({ name }) => name.toUpperCase()))
    return columns
  }
}

const codeOf = (error: RetryableError | FatalError): string =>
  error instanceof RetryableError ? error.code : error.reason

/** `"DB"."SCHEMA"."TABLE"`: the dead-letter table may be in another schema. */
function pipeOf(ref: string, table: string): Pipe {
  const [database = '', schema = ''] = [...ref.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name = '']) =>
    name.replaceAll('""', '"')
  )
  return { database, schema, name: defaultPipe(table) }
}
