import type { SettledTopic } from '../../crds/settled.ts'
import type { Field } from '../columns/schema.ts'
import { RecordCursor, type RecordBatch } from '../record-batch.ts'
import { poison, type Poison } from './dead-letter.ts'
import { HeaderIndex } from './header-index.ts'
import { Lifter } from './lifter.ts'
import type { BufferContext, PartitionBuffer } from './partition-buffer.ts'
import { createRuleSet, type RuleSet } from './quality.ts'
import type { Content } from './row-writer.ts'
import type { BoundValue } from './value-columns.ts'
import { isUtf8 } from './utf8.ts'
import type { Pending, ValueReader } from './value-reader.ts'

/** Turns the record batches of one entry and partition into rows and dead letters. */
export interface Decoder {
  /**
   * Appends the batch's records from `fromOffset` on; each is a row or a dead letter, or the batch as a whole is one.
   * Kind `skip` adds nothing. May stop before the batch's end. FatalError `DeadLetterStop` with policy Stop,
   * `IncompatibleSchema` where the schema's policy is Stop.
   */
  append(batch: RecordBatch, fromOffset: number, into: PartitionBuffer, nowMs: number): Appended
}

export interface Appended {
  /** Where to go on. */
  readonly nextOffset: number
  /** What must happen before; undefined when that is a commit, or when all of the batch is in. */
  readonly pending: Pending | undefined
}

/** `reader` when fields of the entry's values become columns. */
export function createDecoder(entry: SettledTopic, context: BufferContext, reader: ValueReader | undefined): Decoder {
  return new BatchDecoder(entry, context, reader)
}

/** The table gathers rows of too many tuples of partition values to take this one. */
const FULL = 'full'

class BatchDecoder implements Decoder {
  readonly #entry: SettledTopic
  readonly #context: BufferContext
  readonly #lifter: Lifter
  readonly #reader: ValueReader | undefined
  readonly #rules: RuleSet | undefined
  /** Columns of text that take key, value or names of headers as they are: these must be UTF-8. */
  readonly #checks: { readonly key: boolean; readonly value: boolean; readonly headers: boolean }
  readonly #cursor = new RecordCursor()
  readonly #headers = new HeaderIndex()
  readonly #content: Content
  /** The value of the reader, as its fields were bound last. */
  #boundFields: readonly Field[] | undefined
  #generation = -1
  #conflict: Poison | undefined
  #value: BoundValue | undefined

  constructor(entry: SettledTopic, context: BufferContext, reader: ValueReader | undefined) {
    const has = (source: 'Key' | 'Value' | 'Headers', type: string) =>
      entry.metadataColumns.some(column => column.source === source && column.type === type)
    this.#entry = entry
    this.#context = context
    this.#lifter = new Lifter(entry)
    this.#reader = reader
    this.#rules = createRuleSet(entry)
    const { lifted, mismatches } = this.#lifter
    this.#content = { lifted, mismatches, value: undefined, rules: undefined }
    this.#checks = {
      key: has('Key', 'String'),
      // JSON is checked on its way.
      value: has('Value', 'String') && entry.format !== 'Json' && entry.format !== 'JsonSchema',
      headers: has('Headers', 'Headers')
    }
  }

  append(batch: RecordBatch, fromOffset: number, into: PartitionBuffer, nowMs: number): Appended {
    const { nextOffset } = batch
    if (batch.kind === 'skip' || nextOffset <= fromOffset) return { nextOffset, pending: undefined }
    if (batch.kind === 'corrupt')
      return this.#addBatch(
        batch,
        Math.max(batch.baseOffset, fromOffset),
        batch.reason ?? 'it cannot be read',
        into,
        nowMs
      )
    const cursor = this.#cursor
    cursor.reset(batch)
    let least = batch.baseOffset
    let moved = this.#next(batch, least)
    while (moved === true) {
      least = cursor.offset + 1
      const stopped = cursor.offset < fromOffset ? undefined : this.#appendRecord(into, nowMs)
      if (stopped !== undefined) {
        cursor.bytes = EMPTY
        return { nextOffset: cursor.offset, pending: stopped === FULL ? undefined : stopped }
      }
      moved = this.#next(batch, least)
    }
    cursor.bytes = EMPTY
    // What stands before the damage are records; the rest of the batch is one dead letter.
    if (moved !== false) return this.#addBatch(batch, Math.max(least, fromOffset), moved.message, into, nowMs)
    return { nextOffset, pending: undefined }
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

  /** Why it is not in yet; undefined when it is. */
  #appendRecord(into: PartitionBuffer, nowMs: number): Pending | typeof FULL | undefined {
    const cursor = this.#cursor
    const headers = this.#headers
    const reader = this.#reader
    let found: Poison | Pending | undefined = this.#check() ?? this.#lifter.check(cursor, headers)
    const content = this.#content
    content.value = undefined
    if (reader !== undefined) {
      found ??= reader.check(cursor)
      if (found !== undefined && 'ready' in found) return found
      if (found === undefined && cursor.valueLength >= 0) found = this.#bind(reader)
    }
    if (found !== undefined) {
      if (!into.addDeadLetter({ cursor, headers, lastOffset: cursor.offset, poison: found }, nowMs)) return FULL
    } else {
      const writer = into.writerFor(cursor)
      if (writer === undefined) return FULL
      if (this.#rules !== undefined) this.#judge(this.#rules, into)
      writer.append(cursor, headers, content)
    }
    if (cursor.timestampMs > into.lastTimestampMs) into.lastTimestampMs = cursor.timestampMs
    return undefined
  }

  /** Finds the fields of the value their columns. */
  #bind(reader: ValueReader): Poison | undefined {
    const { columns } = this.#context
    const { fields } = reader
    if (fields !== this.#boundFields || columns.generation !== this.#generation) {
      const { bindings, conflict } = columns.bind(fields, this.#entry.schema.onIncompatible)
      this.#conflict = conflict === undefined ? undefined : poison('Lift', 'IncompatibleSchema', conflict)
      if (bindings !== this.#value?.bindings) this.#value = { reader, bindings }
      this.#boundFields = fields
      this.#generation = columns.generation
    }
    this.#content.value = this.#value
    return this.#conflict
  }

  /** Tombstones have nothing to judge. */
  #judge(rules: RuleSet, into: PartitionBuffer): void {
    const content = this.#content
    content.rules = undefined
    if (into.quality === undefined || this.#cursor.valueLength < 0) return
    rules.evaluate(this.#cursor, into.partition, content.lifted, this.#reader, into.quality)
    content.rules = rules
  }

  /** What is wrong with the record whatever its columns. */
  #check(): Poison | undefined {
    const { bytes, keyStart, keyLength, valueStart, valueLength } = this.#cursor
    const size = Math.max(0, keyLength) + Math.max(0, valueLength)
    if (size > this.#entry.maxRecordBytes) {
      return poison(
        'Parse',
        'RecordTooLarge',
        `key and value have ${size} bytes, maxRecordBytes is ${this.#entry.maxRecordBytes}`
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
  #addBatch(batch: RecordBatch, offset: number, reason: string, into: PartitionBuffer, nowMs: number): Appended {
    const { nextOffset } = batch
    if (offset >= nextOffset) return { nextOffset, pending: undefined }
    const cursor = new RecordCursor()
    cursor.bytes = batch.records
    cursor.offset = offset
    cursor.timestampMs = batch.logAppendTimeMs ?? batch.baseTimestampMs
    cursor.valueLength = batch.records.length
    const lastOffset = batch.nextOffset - 1
    const message = `offsets ${offset} to ${lastOffset} cannot be told apart: ${reason}`
    const found = poison('Decompress', 'CorruptBatch', message)
    const isIn = into.addDeadLetter({ cursor, headers: new HeaderIndex(), lastOffset, poison: found }, nowMs)
    return { nextOffset: isIn ? nextOffset : offset, pending: undefined }
  }
}

const EMPTY = Buffer.alloc(0)
