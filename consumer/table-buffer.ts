import type { BatchLimits, SettledPipeline, SettledTopic } from '../crds/settled.ts'
import type { Batch } from './batch.ts'
import { invariant } from '../lib/errors.ts'
import { growsColumns, type TablePlan } from './columns/bronze.ts'
import { TableColumns } from './columns/table-columns.ts'
import { createDecoder } from './decode/decoder.ts'
import { PartitionBuffer, type BufferContext } from './decode/partition-buffer.ts'
import { OpenTuples } from './decode/row-tuples.ts'
import type { Pending, ReaderPlace, ValueReader } from './decode/value-reader.ts'
import { cutAt, isAtEnd } from './ends.ts'
import { partitionId, type Partition, type PartitionId } from './partition.ts'
import type { RecordBatch } from './record-batch.ts'
import { rowCount, type Slot, type SlotPlace } from './slot.ts'
import { blockedBy, WaitingBatches } from './waiting-batches.ts'

/** What was taken from a slot for one commit. */
export interface Taken {
  readonly slot: Slot
  readonly place: SlotPlace
  readonly buffer: PartitionBuffer
  readonly nextOffset: number
}

/**
 * What one table has gathered from its partitions since its last batch was taken. Batches that came while it was full
 * wait undecoded, so a batch limit is passed by one Kafka record batch at most.
 */
export class TableBuffer {
  readonly columns: TableColumns
  readonly #context: BufferContext
  readonly #readerFor: ReaderFor
  readonly #limits: BatchLimits
  readonly #slots = new Map<PartitionId, Slot>()
  readonly #waiting = new WaitingBatches(this.#slots)
  #records = 0
  #bytes = 0
  #sinceMs: number | undefined

  constructor(
    plan: TablePlan,
    pipeline: SettledPipeline,
    consumerId: string,
    limits: BatchLimits,
    readerFor: ReaderFor
  ) {
    this.columns = new TableColumns(plan)
    this.#context = { plan, pipeline, consumerId, columns: this.columns, tuples: new OpenTuples() }
    this.#readerFor = readerFor
    this.#limits = limits
  }

  assign(partition: Partition, entry: SettledTopic): void {
    const id = partitionId(partition)
    const reader = this.#readerFor(entry, { topic: partition.topic, known: () => this.columns.known })
    invariant(reader !== undefined || !growsColumns(entry), `values of ${entry.name} can be read`)
    this.#slots.set(id, {
      id,
      partition,
      entry,
      decoder: createDecoder(entry, this.#context, reader),
      place: undefined,
      reopen: undefined,
      end: undefined,
      deadLetters: 0,
      recordTimestampMs: 0,
      isReported: false,
      lastCommit: undefined,
      dataLoss: undefined
    })
  }

  /** What it had gathered is dropped: the next owner reads it again from where the table stands. */
  revoke(id: PartitionId): void {
    this.#slots.delete(id)
    this.#recount()
  }

  /** Drops what these partitions gathered; they must be placed anew. */
  forget(ids: Iterable<PartitionId>): void {
    for (const id of ids) {
      const slot = this.#slots.get(id)
      if (slot !== undefined) slot.place = undefined
    }
    this.#recount()
  }

  slot(id: PartitionId): Slot | undefined {
    return this.#slots.get(id)
  }

  slots(): readonly Slot[] {
    return [...this.#slots.values()]
  }

  get hasUnplaced(): boolean {
    for (const { place } of this.#slots.values()) if (place === undefined) return true
    return false
  }

  /** Rows and dead letters held. */
  get records(): number {
    return this.#records
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.#bytes
  }

  /** When the oldest record came; undefined when nothing is held. */
  get sinceMs(): number | undefined {
    return this.#sinceMs
  }

  /** Bytes of batches that wait undecoded for the table to have room. */
  get waitingBytes(): number {
    return this.#waiting.bytes
  }

  get isFull(): boolean {
    const { maxBytes, maxRecords } = this.#limits
    const isLarge = this.#bytes >= maxBytes || (maxRecords !== undefined && this.#records >= maxRecords)
    return isLarge || this.isStuck
  }

  /** Rows of as many tuples of partition values, or in as many columns, as may be gathered at a time are here. */
  get isStuck(): boolean {
    return this.#context.tuples.isFull
  }

  /** Whether more of this partition may be fetched. */
  isOpen(id: PartitionId): boolean {
    const slot = this.#slots.get(id)
    const place = slot?.place
    if (slot === undefined || isAtEnd(slot)) return false
    return place !== undefined && place.blocked === undefined && !this.isFull && this.waitingBytes === 0
  }

  /** Partitions that wait for something outside, and for what. */
  blocked(): readonly { readonly slot: Slot; readonly pending: Pending }[] {
    return [...this.#slots.values()].flatMap(slot => {
      const blocked = slot.place?.blocked
      return blocked === undefined ? [] : { slot, pending: blocked.pending }
    })
  }

  offer(batch: RecordBatch, nowMs: number): void {
    const end = this.#slots.get(partitionId(batch.partition))?.end
    this.#waiting.add(end === undefined ? batch : cutAt(batch, end.offset))
    this.admit(nowMs)
  }

  /** Decodes what waits, until the table is full. Throws FatalError under policies that stop. */
  admit(nowMs: number): void {
    this.#waiting.admit(batch => !this.isFull && this.#append(batch, nowMs))
  }

  /** Positions to seek at once, of partitions that waited for long and can go on. */
  reopen(): ReadonlyMap<PartitionId, number> {
    return this.#waiting.reopen()
  }

  /** Whether the batch is dealt with; else it waits on. */
  #append(batch: RecordBatch, nowMs: number): boolean {
    const slot = this.#slots.get(partitionId(batch.partition))
    const place = slot?.place
    if (slot === undefined || place === undefined || batch.nextOffset <= place.nextOffset) return true
    // Of another incarnation: it was fetched before the partition was placed anew.
    if (slot.partition.topicId !== batch.partition.topicId) return true
    if (batch.kind === 'skip') {
      place.nextOffset = batch.nextOffset
      return true
    }
    place.buffer ??= new PartitionBuffer(this.#context, slot.entry, slot.partition, place.epoch)
    const { buffer } = place
    const [recordsBefore, bytesBefore] = [rowCount(buffer), buffer.bytes]
    const { nextOffset, pending } = slot.decoder.append(batch, place.nextOffset, buffer, nowMs)
    this.#records += rowCount(buffer) - recordsBefore
    this.#bytes += buffer.bytes - bytesBefore
    if (this.#records > 0) this.#sinceMs ??= nowMs
    place.nextOffset = nextOffset
    if (pending !== undefined) place.blocked = blockedBy(pending)
    return nextOffset >= batch.nextOffset
  }

  /** Swaps the buffers out; what comes next goes into fresh ones. Ordered by topic and partition. */
  take(): readonly Taken[] {
    const taken: Taken[] = []
    for (const slot of this.#slots.values()) {
      const { place } = slot
      const buffer = place?.buffer
      if (place === undefined || buffer === undefined || rowCount(buffer) === 0) continue
      taken.push({ slot, place, buffer, nextOffset: place.nextOffset })
      place.buffer = undefined
      place.isCommitting = true
    }
    this.#records = 0
    this.#bytes = 0
    this.#sinceMs = undefined
    this.#context.tuples.reset([], 0)
    return taken.sort((a, b) => byTopicAndPartition(a.slot.partition, b.slot.partition))
  }

  /** The commit of `taken` is in the table. Gives the slots that are still ours and where they were. */
  settle(taken: readonly Taken[]): readonly Slot[] {
    const live = taken.filter(({ slot, place }) => slot.place === place && this.#slots.get(slot.id) === slot)
    for (const { slot, place, buffer, nextOffset } of live) {
      place.expectedOffset = nextOffset
      place.isCommitting = false
      slot.deadLetters += buffer.deadLetterCount
      slot.recordTimestampMs = Math.max(slot.recordTimestampMs, buffer.lastTimestampMs)
    }
    return live.map(({ slot }) => slot)
  }

  /** After partitions went: what waits for them must not be appended where they are placed next. */
  #recount(): void {
    this.#waiting.forgetUnplaced()
    this.#records = 0
    this.#bytes = 0
    const tuples: string[] = []
    let columns = 0
    for (const { place } of this.#slots.values()) {
      this.#records += rowCount(place?.buffer)
      this.#bytes += place?.buffer?.bytes ?? 0
      tuples.push(...(place?.buffer?.tuples ?? []))
      columns += place?.buffer?.openColumns ?? 0
    }
    this.#context.tuples.reset(tuples, columns)
    if (this.#records === 0) this.#sinceMs = undefined
  }
}

/** Undefined for entries of which no field becomes a column. */
export type ReaderFor = (entry: SettledTopic, place: ReaderPlace) => ValueReader | undefined

const byTopicAndPartition = (a: Partition, b: Partition): number =>
  a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1

export function toBatch(taken: readonly Taken[], commitId: string, takenAtMs: number): Batch {
  return {
    commitId,
    takenAtMs,
    parts: taken.map(({ slot, place, buffer, nextOffset }) => ({
      partition: slot.partition,
      epoch: place.epoch,
      expectedOffset: place.expectedOffset,
      nextOffset,
      rows: buffer.rows,
      deadLetters: buffer.deadLetters !== undefined && buffer.deadLetters.rows > 0 ? buffer.deadLetters : undefined
    }))
  }
}
