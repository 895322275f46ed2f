import { encodeReport } from '../crds/report.ts'
import type { SettledPipeline, SettledTopic } from '../crds/settled.ts'
import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { FatalError, RetryableError, invariant } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { planTables, type TablePlan } from './columns/bronze.ts'
import type { DeadLetterRecord } from './decode/dead-letter.ts'
import { atOpenEnd, positionsBelowEnd } from './ends.ts'
import { findEnds } from './find-ends.ts'
import type { Observer } from './observer.ts'
import { partitionId, type Partition, type PartitionId } from './partition.ts'
import type { CommitAuthor, Sink } from './sink.ts'
import { reportableOffset, type Slot } from './slot.ts'
import type { ReportedOffset, Source, SourceLoss } from './source.ts'
import type { ReaderFor } from './table-buffer.ts'
import { TableWriter } from './table-writer.ts'
import { entryOf } from '../crds/topics.ts'

export interface IngestPorts {
  readonly source: Source
  readonly openSink: (plan: TablePlan) => Sink
  /** Reads fields of values; absent when none become columns. */
  readonly readerFor?: ReaderFor
  readonly sendDeadLetters: (records: readonly DeadLetterRecord[]) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  readonly observer: Observer
  readonly author: CommitAuthor
  /** One byte budget for all buffers of the process (law 7). */
  readonly budgetBytes: number
  /** Is given a way to read how many bytes the buffers hold, for metrics. */
  readonly onBufferBytes?: (read: () => number) => void
  /** Is given a way to see the partitions, for metrics. */
  readonly onSlots?: (read: () => readonly Slot[]) => void
}

/** The longest a poll waits: revocations and due commits are noticed within this. */
const MAX_POLL_MS = 500
/** Decompressed batches that wait for full tables; beyond it the rest waits as it came from the broker. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Positions that moved without rows (control records at a partition's tail) are reported at most this often. */
const IDLE_REPORT_INTERVAL_MS = 5000
/** All positions are reported at least this often: a report that an earlier owner had under way may have come after ours. */
const FULL_REPORT_INTERVAL_MS = 30_000
/** Partitions that wait at the end of what is known to come before a time ask again this often. */
const END_INTERVAL_MS = 1000

/**
 * Moves records from the source into the tables until `stopping` aborts; then commits what is held, once, and leaves the
 * group. Throws FatalError for what only a person can end, and defects.
 */
export async function ingest(pipeline: SettledPipeline, ports: IngestPorts, stopping: AbortSignal): Promise<void> {
  const loop = new IngestLoop(pipeline, ports)
  try {
    await loop.run(stopping)
  } finally {
    await loop.close(stopping.aborted)
  }
}

class IngestLoop {
  readonly #pipeline: SettledPipeline
  readonly #ports: IngestPorts
  readonly #writers: readonly TableWriter[]
  readonly #sinks: readonly Sink[]
  readonly #writerOf = new Map<PartitionId, TableWriter>()
  readonly #reported = new Map<PartitionId, number>()
  #lastIdleReportMs = 0
  #lastFullReportMs = 0
  #lastEndsMs = 0

  constructor(pipeline: SettledPipeline, ports: IngestPorts) {
    this.#pipeline = pipeline
    this.#ports = ports
    const plans = planTables(pipeline)
    this.#sinks = plans.map(plan => ports.openSink(plan))
    this.#writers = plans.map((plan, index) => {
      const sink = this.#sinks[index]
      invariant(sink !== undefined, 'one sink per table')
      return new TableWriter(plan, pipeline, ports.author, {
        ...ports,
        readerFor: ports.readerFor ?? (() => undefined),
        sink,
        seek: positions => ports.source.seek(positions),
        report: (slots, version, sinkError) => this.#report(slots, version, sinkError)
      })
    })
  }

  async run(stopping: AbortSignal): Promise<void> {
    const { source, clock } = this.#ports
    source.setGate(id => this.#isOpen(id))
    this.#ports.onBufferBytes?.(() => this.#bytes())
    this.#ports.onSlots?.(() => this.#slots())
    // All tables exist from the start, before the first record and without waiting for the group.
    this.#tick()
    await this.#retrying(stopping, () => source.open())
    while (!stopping.aborted) {
      const wakeMs = Math.min(...this.#writers.map(writer => writer.wakeAtMs(clock.now())))
      const waitMs = Math.max(0, Math.min(MAX_POLL_MS, wakeMs - clock.now()))
      await this.#retrying(stopping, () => this.#step(waitMs))
    }
    source.retire()
    await Promise.all(this.#writers.map(writer => writer.drain()))
    this.#throwFailure()
  }

  async close(leave: boolean): Promise<void> {
    await Promise.allSettled(this.#writers.map(writer => writer.settled()))
    await Promise.allSettled([this.#ports.source.close({ leave }), ...this.#sinks.map(sink => sink.close())])
  }

  async #step(waitMs: number): Promise<void> {
    const { source, observer } = this.#ports
    const waitingBytes = this.#writers.reduce((sum, writer) => sum + writer.waitingBytes, 0)
    const poll = await source.poll(waitMs, waitingBytes < MAX_WAITING_BYTES)
    for (const partition of poll.revoked) this.#revoke(partitionId(partition))
    for (const partition of poll.assigned) this.#assign(partition)
    if (poll.assigned.length + poll.revoked.length > 0) observer.assigned(this.#writerOf.size)
    for (const batch of poll.batches) this.#writerOf.get(partitionId(batch.partition))?.append(batch)
    for (const loss of poll.losses) this.#onLoss(loss)
    this.#tick()
    await this.#moveEnds()
    await this.#reportIdle()
  }

  #slots(): readonly Slot[] {
    return this.#writers.flatMap(writer => writer.slots())
  }

  /** Asks again where partitions end that have come to an end that is not final. */
  async #moveEnds(): Promise<void> {
    const { source, clock } = this.#ports
    const nowMs = clock.now()
    if (nowMs - this.#lastEndsMs < END_INTERVAL_MS) return
    this.#lastEndsMs = nowMs
    const waiting = atOpenEnd(this.#slots())
    if (waiting.length === 0) return
    await findEnds(waiting, source)
    // What was cut off is fetched again.
    source.seek(positionsBelowEnd(waiting))
    for (const { id } of waiting) this.#reported.delete(id)
  }

  /** Starts what is due; when memory is short, the largest buffer goes first. */
  #tick(): void {
    const nowMs = this.#ports.clock.now()
    for (const writer of this.#writers) writer.tick(nowMs)
    if (this.#bytes() >= this.#ports.budgetBytes) {
      for (const writer of [...this.#writers].sort((a, b) => b.bytes - a.bytes)) if (writer.relieve(nowMs)) break
    }
    this.#throwFailure()
  }

  #throwFailure(): void {
    for (const { failure } of this.#writers) if (failure !== undefined) throw failure
  }

  #bytes(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.bytes, 0)
  }

  #isOpen(id: PartitionId): boolean {
    return this.#bytes() < this.#ports.budgetBytes && (this.#writerOf.get(id)?.isOpen(id) ?? false)
  }

  #assign(partition: Partition): void {
    const entry: SettledTopic | undefined = entryOf(this.#pipeline, partition.topic)
    const writer = this.#writers.find(({ plan }) => plan.table === entry?.table)
    invariant(entry !== undefined && writer !== undefined, `topic ${partition.topic} belongs to the pipeline`)
    const id = partitionId(partition)
    this.#revoke(id)
    writer.assign(partition, entry)
    this.#writerOf.set(id, writer)
  }

  #revoke(id: PartitionId): void {
    this.#writerOf.get(id)?.revoke(id)
    this.#writerOf.delete(id)
    this.#reported.delete(id)
  }

  #onLoss(loss: SourceLoss): void {
    const { log, observer, source } = this.#ports
    const { topic, partition } = loss.partition
    observer.dataLoss(topic, loss.kind)
    if (this.#pipeline.source.onDataLoss === 'Fail') throw lossError(loss)
    log.error('records were lost in the source; going on as told', {
      topic,
      partition,
      kind: loss.kind,
      reason: loss.message
    })
    const positions = this.#writerOf.get(partitionId(loss.partition))?.continueAfter(loss)
    if (positions !== undefined && positions.size > 0) source.seek(positions)
  }

  async #report(slots: readonly Slot[], version: string | undefined, sinkError: string | undefined): Promise<void> {
    const nowMs = this.#ports.clock.now()
    const offsets = new Map<PartitionId, ReportedOffset>()
    for (const slot of slots) {
      if (slot.place === undefined) continue
      if (version !== undefined) slot.lastCommit = { atMs: nowMs, version }
      const nextOffset = reportableOffset(slot.place)
      if (nextOffset === undefined) continue
      offsets.set(slot.id, {
        nextOffset,
        metadata: encodeReport({
          committedAtMs: slot.lastCommit?.atMs ?? 0,
          version: slot.lastCommit?.version ?? '',
          recordTimestampMs: slot.recordTimestampMs,
          deadLetters: slot.deadLetters,
          ...(sinkError === undefined ? {} : { sinkError }),
          ...(slot.dataLoss === undefined ? {} : { dataLoss: slot.dataLoss }),
          ...(slot.end?.isFinal === true ? { end: { offset: slot.end.offset, ...timeOf(slot), atMs: nowMs } } : {})
        })
      })
    }
    if (offsets.size === 0) return
    if (!(await this.#ports.source.report(offsets))) return
    for (const [id, { nextOffset }] of offsets) this.#reported.set(id, nextOffset)
  }

  /** Reports positions that moved over control records, and those of partitions just placed, without a commit. */
  async #reportIdle(): Promise<void> {
    const nowMs = this.#ports.clock.now()
    if (nowMs - this.#lastIdleReportMs < IDLE_REPORT_INTERVAL_MS) return
    this.#lastIdleReportMs = nowMs
    if (nowMs - this.#lastFullReportMs >= FULL_REPORT_INTERVAL_MS) {
      this.#lastFullReportMs = nowMs
      this.#reported.clear()
    }
    const moved: Slot[] = []
    for (const writer of this.#writers) {
      if (writer.isBusy) continue
      for (const slot of writer.slots()) {
        const nextOffset = slot.place === undefined ? undefined : reportableOffset(slot.place)
        if (nextOffset !== undefined && this.#reported.get(slot.id) !== nextOffset) moved.push(slot)
      }
    }
    if (moved.length > 0) await this.#report(moved, undefined, undefined)
  }

  /** Runs `work`; trouble with the source backs off and lets the next round try again. */
  async #retrying(stopping: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { clock, log, observer } = this.#ports
    for (let attempt = 1; !stopping.aborted; attempt++) {
      try {
        await work()
        observer.sourceWorks()
        return
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error
        const waitMs = backoffMs(attempt, clock.random())
        log.warn('the source could not be reached', { code: error.code, waitMs }, error)
        observer.sourceFailed(error.code)
        this.#tick()
        await clock.sleep(waitMs, stopping)
      }
    }
  }
}

/** Of partitions that a time ends. */
const timeOf = ({ entry: { endAt }, partition: { partition } }: Slot): { readonly timestampMs?: number } =>
  endAt?.position === 'Timestamp' && (endAt.partitions?.includes(partition) ?? true)
    ? { timestampMs: endAt.timestampMs }
    : {}

/** What `onDataLoss: Fail` says, naming the loss and the remedy. */
function lossError({ kind, message, resumeOffset }: SourceLoss): FatalError {
  return new FatalError(
    `Source${kind}`,
    `${message} To go on from offset ${resumeOffset} and accept the loss set spec.source.onDataLoss: Continue.`
  )
}
