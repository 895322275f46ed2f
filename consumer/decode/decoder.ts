import type { SettledPipeline, SettledTopic } from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import type { TablePlan } from '../columns/bronze.ts'
import { RecordCursor, type RecordBatch } from '../record-batch.ts'
import { poison, type Poison } from './dead-letter.ts'
import { HeaderIndex } from './header-index.ts'
import { Lifter } from './lifter.ts'
import type { PartitionBuffer } from './partition-buffer.ts'
import { isUtf8 } from './utf8.ts'

/** Turns the record batches of one entry into rows and dead letters. */
export interface Decoder {
  /**
   * Appends the batch's records from `fromOffset` on; each is a row or a dead letter, or the batch as a whole is one. Kind
   * `skip` adds nothing. FatalError `DeadLetterStop` with policy Stop.
   */
  append(batch: RecordBatch, fromOffset: number, into: PartitionBuffer, nowMs: number): void
}

export function createDecoder(entry: SettledTopic, plan: TablePlan, pipeline: SettledPipeline): Decoder {
  invariant(plan.entries.includes(entry) && pipeline.topics.includes(entry), `${entry.name} belongs to the table`)
  return new BatchDecoder(entry)
}

class BatchDecoder implements Decoder {
  readonly #maxRecordBytes: number
  readonly #lifter: Lifter
  /** Columns of text that take key, value or names of headers as they are: these must be UTF-8. */
  readonly #checks: { readonly key: boolean; readonly value: boolean; readonly headers: boolean }
  readonly #cursor = new RecordCursor()
  readonly #headers = new HeaderIndex()

  constructor(entry: SettledTopic) {
    const has = (source: 'Key' | 'Value' | 'Headers', type: string) =>
      entry.metadataColumns.some(column => column.source === source && column.type === type)
    this.#maxRecordBytes = entry.maxRecordBytes
    this.#lifter = new Lifter(entry)
    this.#checks = {
      key: has('Key', 'String'),
      // Json checks it on its way.
      value: has('Value', 'String') && entry.format !== 'Json',
      headers: has('Headers', 'Headers')
    }
  }

  append(batch: RecordBatch, fromOffset: number, into: PartitionBuffer, nowMs: number): void {
    if (batch.kind === 'skip' || batch.nextOffset <= fromOffset) return
    if (batch.kind === 'corrupt') {
      this.#addBatch(batch, Math.max(batch.baseOffset, fromOffset), batch.reason ?? 'it cannot be read', into, nowMs)
      return
    }
    const cursor = this.#cursor
    cursor.reset(batch)
    let least = batch.baseOffset
    let moved = this.#next(batch, least)
    while (moved === true) {
      least = cursor.offset + 1
      if (cursor.offset >= fromOffset) this.#appendRecord(into, nowMs)
      moved = this.#next(batch, least)
    }
    // What stands before the damage are records; the rest of the batch is one dead letter.
    if (moved !== false) this.#addBatch(batch, Math.max(least, fromOffset), moved.message, into, nowMs)
    cursor.bytes = EMPTY
  }

  /** Whether there is another record, or why it and what follows cannot be read. */
  #next(batch: RecordBatch, leastOffset: number): boolean | RangeError {
    const cursor = this.#cursor
    try {
      if (!cursor.next()) return false
      if (cursor.offset < leastOffset || cursor.offset >= batch.nextOffset)
        return new RangeError('offsets out of order')
      this.#headers.read(cursor)
      return true
    } catch (error) {
      if (error instanceof RangeError) return error
      throw error
    }
  }

  #appendRecord(into: PartitionBuffer, nowMs: number): void {
    const cursor = this.#cursor
    const found = this.#check() ?? this.#lifter.check(cursor, this.#headers)
    if (cursor.timestampMs > into.lastTimestampMs) into.lastTimestampMs = cursor.timestampMs
    if (found === undefined) into.writer.append(cursor, this.#headers, this.#lifter.lifted)
    else into.addDeadLetter({ cursor, headers: this.#headers, lastOffset: cursor.offset, poison: found }, nowMs)
  }

  /** What is wrong with the record whatever its columns. */
  #check(): Poison | undefined {
    const { bytes, keyStart, keyLength, valueStart, valueLength } = this.#cursor
    const size = Math.max(0, keyLength) + Math.max(0, valueLength)
    if (size > this.#maxRecordBytes) {
      return poison(
        'Parse',
        'RecordTooLarge',
        `key and value have ${size} bytes, maxRecordBytes is ${this.#maxRecordBytes}`
      )
    }
    if (this.#checks.key && keyLength > 0 && !isUtf8(bytes, keyStart, keyStart + keyLength)) {
      return poison('Parse', 'InvalidUtf8', 'the key is not UTF-8, and its column is a String')
    }
    if (this.#checks.value && valueLength > 0 && !isUtf8(bytes, valueStart, valueStart + valueLength)) {
      return poison('Parse', 'InvalidUtf8', 'the value is not UTF-8, and its column is a String')
    }
    if (this.#checks.headers) {
      for (let header = 0; header < this.#headers.count; header++) {
        const start = this.#headers.keyStart(header)
        if (!isUtf8(bytes, start, start + this.#headers.keyLength(header))) {
          return poison('Parse', 'InvalidUtf8', `the name of header ${header + 1} is not UTF-8`)
        }
      }
    }
    return undefined
  }

  /** The rest of a batch that cannot be read, from `offset` on, as one dead letter with all its bytes. */
  #addBatch(batch: RecordBatch, offset: number, reason: string, into: PartitionBuffer, nowMs: number): void {
    if (offset >= batch.nextOffset) return
    const cursor = new RecordCursor()
    cursor.bytes = batch.records
    cursor.offset = offset
    cursor.timestampMs = batch.logAppendTimeMs ?? batch.baseTimestampMs
    cursor.valueLength = batch.records.length
    const lastOffset = batch.nextOffset - 1
    const message = `offsets ${offset} to ${lastOffset} cannot be told apart: ${reason}`
    const found = poison('Decompress', 'CorruptBatch', message)
    into.addDeadLetter({ cursor, headers: new HeaderIndex(), lastOffset, poison: found }, nowMs)
  }
}

const EMPTY = Buffer.alloc(0)
