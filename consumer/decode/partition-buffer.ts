import { FatalError } from '../../lib/errors.ts'
import type { SettledPipeline, SettledTopic } from '../../crds/settled.ts'
import type { TablePlan } from '../columns/bronze.ts'
import { RowGroupBuffer } from '../columns/row-group.ts'
import type { TableSchema } from '../columns/schema.ts'
import type { TableColumns } from '../columns/table-columns.ts'
import type { Partition } from '../partition.ts'
import type { RecordCursor } from '../record-batch.ts'
import type { DeadLetter, DeadLetterRecord } from './dead-letter.ts'
import { DeadLetterWriter } from './dead-letter-writer.ts'
import type { HeaderIndex } from './header-index.ts'
import { ingestionPrefix } from './ingestion-id.ts'
import { QualityCounts } from './quality-counts.ts'
import { RowTuples, type OpenTuples } from './row-tuples.ts'
import { RowWriter } from './row-writer.ts'

/** Memory of a dead letter for a topic, beside its bytes. */
const RECORD_BYTES = 512

/** What the partitions of one table share. */
export interface BufferContext {
  readonly plan: TablePlan
  readonly pipeline: SettledPipeline
  readonly consumerId: string
  readonly columns: TableColumns
  readonly tuples: OpenTuples
}

/** What one partition has gathered for its table since the last commit. */
export class PartitionBuffer {
  readonly partition: Partition
  /** With policy Table. */
  readonly deadLetters: RowGroupBuffer | undefined
  /** With policy Topic. */
  readonly deadLetterRecords: DeadLetterRecord[] = []
  /** With every policy; inline ones are rows too. */
  deadLetterCount = 0
  /** Time of the newest record, milliseconds since the epoch; 0 while there is none. */
  lastTimestampMs = 0
  /** What the entry's rules said of the rows. */
  readonly quality: QualityCounts | undefined

  readonly #context: BufferContext
  readonly #entry: SettledTopic
  readonly #epoch: number
  readonly #deadLetterWriter: DeadLetterWriter | undefined
  /** Finished for a later schema; they take no more rows. */
  readonly #sealed: RowGroupBuffer[] = []
  #sealedBytes = 0
  /** By tuple of partition values. */
  readonly #open = new Map<string, RowWriter>()
  readonly #tuples: RowTuples
  #schema: TableSchema
  #writer: RowWriter | undefined
  #recordBytes = 0

  constructor(context: BufferContext, entry: SettledTopic, partition: Partition, epoch: number) {
    const { plan, pipeline, consumerId, columns } = context
    this.partition = partition
    this.quality = entry.quality && new QualityCounts(entry.quality.rules.map(({ name }) => name))
    this.#context = context
    this.#entry = entry
    this.#epoch = epoch
    this.#schema = columns.schema
    this.#tuples = new RowTuples(plan.schema, entry.metadataColumns, partition)
    if (pipeline.deadLetters.policy !== 'Table') return
    this.deadLetters = new RowGroupBuffer(plan.deadLetterSchema)
    const name = `${pipeline.namespace}/${pipeline.name}`
    this.#deadLetterWriter = new DeadLetterWriter(this.deadLetters, name, consumerId, partition, epoch)
  }

  /** In the order in which they were begun; each of one schema and of one tuple of partition values. */
  get rows(): readonly RowGroupBuffer[] {
    return [...this.#sealed, ...[...this.#open.values()].map(({ rows }) => rows)].filter(({ rows }) => rows > 0)
  }

  get rowCount(): number {
    let sum = 0
    for (const { rows } of this.#sealed) sum += rows
    for (const { rows } of this.#open.values()) sum += rows.rows
    return sum
  }

  /** Bytes of memory held. */
  get bytes(): number {
    let sum = this.#sealedBytes + (this.deadLetters?.bytes ?? 0) + this.#recordBytes
    for (const { rows } of this.#open.values()) sum += rows.bytes
    return sum
  }

  /** The tuples of partition values that it has rows of. */
  get tuples(): Iterable<string> {
    return this.#open.keys()
  }

  /** Of the row groups that take rows. */
  get openColumns(): number {
    let sum = 0
    for (const { rows } of this.#open.values()) sum += rows.columns.length
    return sum
  }

  /** Writes into the row group that a record belongs to; undefined when the table gathers rows of too many tuples, or in too many columns, for another. */
  writerFor(cursor: RecordCursor): RowWriter | undefined {
    const { schema } = this.#context.columns
    if (schema !== this.#schema) this.#grow(schema)
    const isMoved = this.#tuples.moved(cursor)
    if (isMoved || this.#writer === undefined) this.#writer = this.#open.get(this.#tuples.key) ?? this.#begin()
    return this.#writer
  }

  /** Columns that were added are null in the rows that are there; any other change begins a new row group. */
  #grow(schema: TableSchema): void {
    this.#schema = schema
    this.#writer = undefined
    for (const [key, { rows }] of this.#open) {
      if (rows.extend(schema)) continue
      this.#sealed.push(rows)
      this.#sealedBytes += rows.bytes
      this.#open.delete(key)
    }
  }

  #begin(): RowWriter | undefined {
    const { plan, consumerId, tuples } = this.#context
    const { partition } = this
    const { key, values } = this.#tuples
    const rows = new RowGroupBuffer(this.#schema, values)
    if (!tuples.open(key, rows.columns.length)) return undefined
    const ownFields = plan.growth === undefined ? undefined : plan.schema.fields.length
    const writer = new RowWriter(rows, this.#entry, { partition, epoch: this.#epoch, ownFields })
    const constants = { Topic: partition.topic, Partition: partition.partition, ConsumerId: consumerId }
    for (const { source, name } of this.#entry.metadataColumns) {
      if (source in constants) rows.setConstant(name, constants[source as keyof typeof constants])
    }
    this.#open.set(key, writer)
    return writer
  }

  /**
   * Keeps a record, or a batch, that cannot be a row, as the policy has it; false when it would be a row of one tuple too many.
   * FatalError `DeadLetterStop` with policy Stop.
   */
  addDeadLetter(letter: DeadLetter, nowMs: number): boolean {
    const { cursor, headers, poison } = letter
    switch (this.#context.pipeline.deadLetters.policy) {
      case 'Table':
        this.#deadLetterWriter?.append(letter, nowMs)
        break
      case 'Topic':
        this.#addRecord(letter, nowMs)
        break
      case 'Inline': {
        const writer = this.writerFor(cursor)
        if (writer === undefined) return false
        writer.appendInline(cursor, headers, `${poison.reason}: ${poison.message}`)
        break
      }
      case 'Stop':
        throw stop(this.partition, letter)
    }
    this.deadLetterCount++
    return true
  }

  #addRecord({ cursor, headers, lastOffset, poison }: DeadLetter, failedAtMs: number): void {
    const { bytes, offset, timestampMs } = cursor
    const { topic, partition } = this.partition
    const record: DeadLetterRecord = {
      topic,
      partition,
      offset,
      lastOffset,
      timestampMs: timestampMs < 0 ? undefined : timestampMs,
      key: copied(bytes, cursor.keyStart, cursor.keyLength),
      value: copied(bytes, cursor.valueStart, cursor.valueLength),
      headers: copiedHeaders(bytes, headers),
      ingestionId: `${ingestionPrefix(topic, partition, this.#epoch)}${offset}`,
      failedAtMs,
      reason: poison.reason,
      stage: poison.stage,
      error: poison.message
    }
    this.deadLetterRecords.push(record)
    const headerBytes = record.headers.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0)
    this.#recordBytes += RECORD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0) + headerBytes
  }
}

function copied(bytes: Buffer, start: number, length: number): Buffer | null {
  return length < 0 ? null : Buffer.from(bytes.subarray(start, start + length))
}

function copiedHeaders(bytes: Buffer, headers: HeaderIndex): DeadLetterRecord['headers'] {
  return Array.from({ length: headers.count }, (_, header) => {
    const start = headers.keyStart(header)
    const key = bytes.toString('utf8', start, start + headers.keyLength(header))
    return [key, copied(bytes, headers.valueStart(header), headers.valueLength(header))] as const
  })
}

function stop({ topic, partition }: Partition, { cursor: { offset }, lastOffset, poison }: DeadLetter): FatalError {
  const where = lastOffset > offset ? `offsets ${offset} to ${lastOffset}` : `offset ${offset}`
  return new FatalError(
    'DeadLetterStop',
    `Topic ${topic}, partition ${partition}, ${where}: ${poison.reason}: ${poison.message}. ` +
      'To go on, choose another spec.deadLetters.policy or change what the topic’s columns ask for.'
  )
}
