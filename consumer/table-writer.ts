import type { SettledPipeline, SettledTopic } from '../crds/settled.ts'
import { backoffMs } from '../lib/backoff.ts'
import { randomId } from '../lib/clock.ts'
import { RetryableError, invariant } from '../lib/errors.ts'
import type { TablePlan } from './columns/bronze.ts'
import type { DeadLetterRecord } from './decode/dead-letter.ts'
import { dueAtMs, earliestCommitMs, strictest, type Gathered } from './due.ts'
import type { CommitSummary } from './observer.ts'
import { ownershipError } from './ownership.ts'
import { partitionId, type Partition, type PartitionId } from './partition.ts'
import { placeSlots, type PlacementPorts } from './recovery.ts'
import type { RecordBatch } from './record-batch.ts'
import type { CommitAuthor, CommitOutcome } from './sink.ts'
import type { Slot } from './slot.ts'
import type { SourceLoss } from './source.ts'
import { TableBuffer, toBatch, type ReaderFor, type Taken } from './table-buffer.ts'

export interface TableWriterPorts extends Omit<PlacementPorts, 'columns'> {
  /** Reads fields of an entry's values; undefined when none become columns. */
  readonly readerFor: ReaderFor
  /** Dead-letter policy Topic: at least once, before the main commit. */
  readonly sendDeadLetters: (records: readonly DeadLetterRecord[]) => Promise<void>
  /** Reports to the consumer group: after a commit with its version, after trouble with the error's code. */
  readonly report: (slots: readonly Slot[], version: string | undefined, sinkError: string | undefined) => Promise<void>
}

/** Trouble that lasts is told again after so long. */
const REPEAT_MS = 30_000

/**
 * One table's share of this consumer: commits what its partitions gathered when it is due, and after any trouble walks
 * the one road home (law 2): forget what is staged and buffered, `recover()`, `seek()`. At most one piece of work
 * (recovery or commit) is under way at a time; meanwhile the next buffers fill.
 */
export class TableWriter {
  readonly plan: TablePlan
  readonly #pipeline: SettledPipeline
  readonly #author: CommitAuthor
  readonly #ports: TableWriterPorts
  readonly #limits
  readonly #buffer: TableBuffer
  #work: Promise<void> | undefined
  #failure: unknown
  #opened = false
  /** Since something was last committed, or read where nothing could be read before. */
  #failures = 0
  /** What it gathered could not be committed: that the table can be read proves nothing then. */
  #isUnwritten = false
  #retryAtMs = 0
  #lastCommitMs: number | undefined
  #stagingBytes = 0
  /** Why partitions wait for a schema, as it was told last. */
  #told: { readonly code: string; readonly atMs: number } | undefined

  constructor(plan: TablePlan, pipeline: SettledPipeline, author: CommitAuthor, ports: TableWriterPorts) {
    this.plan = plan
    this.#pipeline = pipeline
    this.#author = author
    this.#ports = ports
    this.#limits = strictest(plan.entries.map(({ batch }) => batch))
    this.#buffer = new TableBuffer(plan, pipeline, author.consumerId, this.#limits, ports.readerFor)
  }

  assign(partition: Partition, entry: SettledTopic): void {
    this.#buffer.assign(partition, entry)
  }

  revoke(id: PartitionId): void {
    this.#buffer.revoke(id)
    if (this.#buffer.slots().length === 0) this.#isUnwritten = false
  }

  slots(): readonly Slot[] {
    return this.#buffer.slots()
  }

  isOpen(id: PartitionId): boolean {
    return this.#buffer.isOpen(id)
  }

  append(batch: RecordBatch): void {
    this.#buffer.offer(batch, this.#ports.clock.now())
  }

  /** Bytes of memory held in buffers, and in what is being staged. */
  get bytes(): number {
    return this.#stagingBytes + this.#buffer.bytes
  }

  get waitingBytes(): number {
    return this.#buffer.waitingBytes
  }

  get isBusy(): boolean {
    return this.#work !== undefined
  }

  /** What ended this table's work for good, if anything did: FatalError or a defect. */
  get failure(): unknown {
    return this.#failure
  }

  /** The source lost what the table expects next and the pipeline goes on; gives positions to seek at once. */
  continueAfter(loss: SourceLoss): ReadonlyMap<PartitionId, number> {
    const slot = this.#buffer.slot(partitionId(loss.partition))
    if (slot === undefined) return new Map()
    slot.dataLoss = { kind: loss.kind, atMs: this.#ports.clock.now() }
    if (loss.kind === 'Truncated' && slot.place !== undefined) {
      slot.place.nextOffset = Math.max(slot.place.nextOffset, loss.resumeOffset)
      return new Map([[slot.id, slot.place.nextOffset]])
    }
    if (loss.kind === 'BeyondEnd' || loss.kind === 'Diverged') {
      slot.reopen = { afterEpoch: slot.place?.epoch ?? 0, resumeOffset: loss.resumeOffset }
    }
    slot.partition = loss.partition
    this.#buffer.forget([slot.id])
    return new Map()
  }

  /** When this table next wants to work, ms since the epoch; Infinity when it waits for records. */
  wakeAtMs(nowMs: number): number {
    if (this.#work !== undefined || this.#failure !== undefined) return Infinity
    if (!this.#opened || this.#buffer.hasUnplaced) return Math.max(this.#retryAtMs, nowMs)
    return dueAtMs(this.#gathered(), this.#limits, nowMs)
  }

  /** Starts the work that is due, if any. Trouble stays inside; see `failure`. */
  tick(nowMs: number): void {
    if (this.wakeAtMs(nowMs) <= nowMs) {
      this.#start(this.#opened && !this.#buffer.hasUnplaced ? () => this.#flush() : () => this.#recover())
    }
    const positions = this.#buffer.reopen()
    if (positions.size > 0) this.#ports.seek(positions)
    this.#buffer.admit(nowMs)
    this.#tellBlocked()
  }

  /** Commits now, to free memory, if the table's pace allows. */
  relieve(nowMs: number): boolean {
    if (this.#work !== undefined || this.#buffer.sinceMs === undefined) return false
    if (earliestCommitMs(this.#gathered()) > nowMs) return false
    this.#start(() => this.#flush())
    return true
  }

  /** Commits all that is held, for a clean stop. */
  async drain(): Promise<void> {
    this.#ports.sink.hurry?.()
    await this.settled()
    // A full table leaves batches waiting: twice at most, since what waits came from one poll.
    for (let round = 0; round < 2 && this.#buffer.sinceMs !== undefined && this.#failure === undefined; round++) {
      this.#start(() => this.#flush())
      await this.settled()
    }
  }

  /** The end of the work under way; never rejects. */
  async settled(): Promise<void> {
    await this.#work
  }

  #gathered(): Gathered {
    const { records, bytes, sinceMs, isStuck } = this.#buffer
    return { records, bytes, sinceMs, isStuck, lastCommitMs: this.#lastCommitMs }
  }

  /** Partitions that wait for a schema registry are behind for a reason: it is told. */
  #tellBlocked(): void {
    const { log, observer } = this.#ports
    const { table } = this.plan
    const troubled = this.#buffer.blocked().filter(({ pending }) => pending.trouble !== undefined)
    if (troubled.length === 0) {
      if (this.#told !== undefined) observer.sinkWorks(table)
      this.#told = undefined
      return
    }
    const code = troubled[0]?.pending.trouble ?? ''
    const nowMs = this.#ports.clock.now()
    // Again when it changes, and now and then: what other partitions commit reads as a table that works.
    if (this.#told?.code === code && nowMs - this.#told.atMs < REPEAT_MS) return
    this.#told = { code, atMs: nowMs }
    log.warn('records wait for a schema', { table, code, partitions: troubled.length })
    observer.sinkFailed(table, code)
    void this.#report(
      troubled.map(({ slot }) => slot),
      undefined,
      code
    )
  }

  #start(work: () => Promise<void>): void {
    invariant(this.#work === undefined, 'one piece of work at a time per table')
    this.#work = work()
      .catch((error: unknown) => this.#onTrouble(error))
      .catch((error: unknown) => {
        this.#failure = error
      })
      .finally(() => {
        this.#work = undefined
      })
  }

  async #onTrouble(error: unknown): Promise<void> {
    if (!(error instanceof RetryableError)) throw error
    const { clock, log, observer } = this.#ports
    this.#failures++
    const waitMs = backoffMs(this.#failures, clock.random())
    this.#retryAtMs = clock.now() + waitMs
    log.warn(
      'the table could not be read or written; recovering',
      { table: this.plan.table, code: error.code, waitMs },
      error
    )
    observer.sinkFailed(this.plan.table, error.code)
    const slots = this.#buffer.slots()
    await this.#report(slots, undefined, error.code)
    this.#buffer.forget(slots.map(({ id }) => id))
  }

  async #recover(): Promise<void> {
    const { sink, log, observer, seek } = this.#ports
    if (!this.#opened) {
      await sink.open()
      this.#opened = true
    }
    const unplaced = this.#buffer.slots().filter(({ place }) => place === undefined)
    if (unplaced.length > 0) {
      const positions = await placeSlots(unplaced, { ...this.#ports, columns: this.#buffer.columns }, this.#pipeline)
      // A slot that went meanwhile is not ours to seek.
      seek(new Map([...positions].filter(([id]) => this.#buffer.slot(id)?.place !== undefined)))
      log.info('recovered', { table: this.plan.table, partitions: positions.size })
    }
    if (this.#isUnwritten) return
    this.#failures = 0
    observer.sinkWorks(this.plan.table)
  }

  async #flush(): Promise<void> {
    const { sink, clock, observer, sendDeadLetters } = this.#ports
    const startedMs = clock.now()
    const taken = this.#buffer.take()
    if (taken.length === 0) return
    this.#buffer.admit(startedMs)
    this.#lastCommitMs = startedMs
    this.#stagingBytes = taken.reduce((sum, { buffer }) => sum + buffer.bytes, 0)
    this.#isUnwritten = true
    try {
      const deadLetters = taken.flatMap(({ buffer }) => buffer.deadLetterRecords)
      if (deadLetters.length > 0) await sendDeadLetters(deadLetters)
      const staged = await sink.stage(toBatch(taken, randomId(clock), startedMs))
      this.#stagingBytes = 0
      const outcome = await sink.commit([staged])
      this.#isUnwritten = false
      if (outcome.status === 'fenced') {
        this.#onFenced(taken, outcome)
        return
      }
      const slots = this.#buffer.settle(taken)
      this.#failures = 0
      observer.committed(this.plan.table, summarise(taken, startedMs, clock.now()))
      await this.#report(slots, outcome.version, undefined)
    } finally {
      this.#stagingBytes = 0
    }
  }

  /** The whole commit is off when one partition is not ours any more: all of it recovers, the others flow on. */
  #onFenced(taken: readonly Taken[], { partitions, by }: Extract<CommitOutcome, { status: 'fenced' }>): void {
    const { log, observer } = this.#ports
    const { table } = this.plan
    log.warn('fenced: the table moved on without us', { table, partitions: partitions.join(' '), by: by?.pipeline })
    observer.fenced(table)
    const stranger = ownershipError(table, this.#author, by)
    if (stranger !== undefined) throw stranger
    this.#buffer.forget(taken.filter(({ slot }) => this.#buffer.slot(slot.id) === slot).map(({ slot }) => slot.id))
  }

  /** For people and lag tools: its failure never touches the table's work. */
  async #report(slots: readonly Slot[], version: string | undefined, sinkError: string | undefined): Promise<void> {
    try {
      await this.#ports.report(slots, version, sinkError)
    } catch (error) {
      this.#ports.log.warn('offsets could not be reported to the group', { table: this.plan.table }, error)
    }
  }
}

function summarise(taken: readonly Taken[], startedMs: number, endedMs: number): CommitSummary {
  return {
    startedMs,
    endedMs,
    topics: taken.map(({ slot, buffer }) => ({
      topic: slot.partition.topic,
      records: buffer.rowCount,
      deadLetters: buffer.deadLetterCount,
      lastTimestampMs: buffer.lastTimestampMs,
      quality: buffer.quality
    }))
  }
}
