import type { SettledPipeline } from '../../crds/settled.ts'
import { FatalError, invariant } from '../../lib/errors.ts'
import type { TablePlan } from '../columns/bronze.ts'
import { RowGroupBuffer } from '../columns/row-group.ts'
import type { Partition } from '../partition.ts'
import type { DeadLetter, DeadLetterRecord } from './dead-letter.ts'
import { DeadLetterWriter } from './dead-letter-writer.ts'
import type { HeaderIndex } from './header-index.ts'
import { ingestionPrefix } from './ingestion-id.ts'
import { RowWriter } from './row-writer.ts'

/** Memory of a dead letter for a topic, beside its bytes. */
const RECORD_BYTES = 512

/** What one partition has gathered for its table since the last commit. */
export class PartitionBuffer {
  readonly partition: Partition
  readonly rows: RowGroupBuffer
  /** With policy Table. */
  readonly deadLetters: RowGroupBuffer | undefined
  /** With policy Topic. */
  readonly deadLetterRecords: DeadLetterRecord[] = []
  /** With every policy; inline ones are rows too. */
  deadLetterCount = 0
  /** Time of the newest record, milliseconds since the epoch; 0 while there is none. */
  lastTimestampMs = 0

  readonly writer: RowWriter
  readonly #deadLetterWriter: DeadLetterWriter | undefined
  readonly #policy: SettledPipeline['deadLetters']['policy']
  readonly #epoch: number
  #recordBytes = 0

  constructor(plan: TablePlan, pipeline: SettledPipeline, consumerId: string, partition: Partition, epoch: number) {
    const [entry] = plan.entries
    invariant(entry !== undefined, 'a table has an entry')
    this.partition = partition
    this.#policy = pipeline.deadLetters.policy
    this.#epoch = epoch
    this.rows = new RowGroupBuffer(plan.schema)
    this.writer = new RowWriter(this.rows, entry.metadataColumns, entry.columns, partition, epoch)
    const constants = { Topic: partition.topic, Partition: partition.partition, ConsumerId: consumerId }
    for (const { source, name } of entry.metadataColumns) {
      if (source in constants) this.rows.setConstant(name, constants[source as keyof typeof constants])
    }
    if (this.#policy !== 'Table') return
    this.deadLetters = new RowGroupBuffer(plan.deadLetterSchema)
    const name = `${pipeline.namespace}/${pipeline.name}`
    this.#deadLetterWriter = new DeadLetterWriter(this.deadLetters, name, consumerId, partition, epoch)
  }

  /** Bytes of memory held. */
  get bytes(): number {
    return this.rows.bytes + (this.deadLetters?.bytes ?? 0) + this.#recordBytes
  }

  /** Keeps a record, or a batch, that cannot be a row, as the policy has it. FatalError `DeadLetterStop` with policy Stop. */
  addDeadLetter(letter: DeadLetter, nowMs: number): void {
    const { cursor, headers, poison } = letter
    this.deadLetterCount++
    switch (this.#policy) {
      case 'Table':
        this.#deadLetterWriter?.append(letter, nowMs)
        return
      case 'Topic':
        this.#addRecord(letter, nowMs)
        return
      case 'Inline':
        this.writer.appendInline(cursor, headers, `${poison.reason}: ${poison.message}`)
        return
      case 'Stop':
        throw stop(this.partition, letter)
    }
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
