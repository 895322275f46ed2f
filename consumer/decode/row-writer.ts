import type { MetadataSource, SettledTopic } from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import { INLINE, MISMATCH } from '../columns/bronze.ts'
import type { BytesColumn } from '../columns/bytes-column.ts'
import type { DecimalColumn } from '../columns/decimal-column.ts'
import { NumberColumn, type BooleanColumn } from '../columns/fixed-column.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import { LongColumn } from '../columns/long-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Partition } from '../partition.ts'
import type { RecordCursor } from '../record-batch.ts'
import { bytesColumn, HeaderColumns } from './header-columns.ts'
import { bytesBeforeValue } from './frame.ts'
import type { HeaderIndex } from './header-index.ts'
import { IngestionId } from './ingestion-id.ts'
import { HELD, type Lifted } from './lift.ts'
import { QualityColumns } from './quality-columns.ts'
import type { RuleSet } from './quality.ts'
import { microsOf } from './timestamp.ts'
import { isUtf8 } from './utf8.ts'
import { ValueColumns, type BoundValue } from './value-columns.ts'

/** What a record is beyond its metadata; it has been checked. One object serves all records. */
export interface Content {
  /** In the order of the entry's columns. */
  readonly lifted: readonly Lifted[]
  /** Names of declared columns that could not take their value. */
  readonly mismatches: Lifted
  /** Fields of the value, and where they go; undefined without any, as for a tombstone. */
  value: BoundValue | undefined
  /** What the rules said of it; undefined when they did not judge it. */
  rules: RuleSet | undefined
}

/** Writes records into the columns of one row group of a bronze table. */
export class RowWriter {
  readonly rows: RowGroupBuffer
  readonly #offset: LongColumn | undefined
  readonly #timestamp: LongColumn | undefined
  readonly #key: BytesColumn | undefined
  readonly #headers: HeaderColumns | undefined
  readonly #id: BytesColumn | undefined
  readonly #ingestionId: IngestionId
  readonly #value: BytesColumn | undefined
  /** Of values, left out of their column. */
  readonly #frameBytes: number
  readonly #lifted: readonly LeafColumn[]
  readonly #mismatches: BytesColumn | undefined
  readonly #schemaVersion: NumberColumn | undefined
  readonly #values: ValueColumns | undefined
  readonly #quality: QualityColumns | undefined
  readonly #inline: InlineColumns | undefined

  /** Fields of the row group's schema after the first `ownFields` are for values. */
  constructor(
    rows: RowGroupBuffer,
    {
      format,
      metadataColumns,
      columns,
      quality
    }: Pick<SettledTopic, 'format' | 'metadataColumns' | 'columns' | 'quality'>,
    {
      partition,
      epoch,
      ownFields
    }: { readonly partition: Partition; readonly epoch: number; readonly ownFields: number | undefined }
  ) {
    const named = (source: MetadataSource) => metadataColumns.find(column => column.source === source)?.name
    const bytes = (source: MetadataSource) => optional(named(source), name => bytesColumn(rows, name))
    this.rows = rows
    this.#offset = optional(named('Offset'), name => longColumn(rows, name))
    this.#timestamp = optional(named('Timestamp'), name => longColumn(rows, name))
    this.#key = bytes('Key')
    this.#headers = optional(named('Headers'), name => new HeaderColumns(rows, name))
    this.#id = bytes('IngestionId')
    this.#ingestionId = new IngestionId(partition, epoch)
    this.#value = bytes('Value')
    this.#frameBytes = bytesBeforeValue({ format, metadataColumns })
    this.#lifted = columns.map(({ name }) => leafColumn(rows, name))
    this.#mismatches = rows.column(MISMATCH) === undefined ? undefined : bytesColumn(rows, MISMATCH)
    this.#schemaVersion = optional(named('SchemaVersion'), name => numberColumn(rows, name))
    this.#values = ownFields === undefined ? undefined : new ValueColumns(rows, ownFields)
    this.#quality = quality === undefined ? undefined : new QualityColumns(rows, quality)
    this.#inline = rows.column(INLINE.error) === undefined ? undefined : new InlineColumns(rows)
  }

  append(cursor: RecordCursor, headers: HeaderIndex, { lifted, mismatches, value, rules }: Content): void {
    const { bytes } = cursor
    this.#appendCoordinates(cursor.offset, cursor.timestampMs)
    if (this.#key !== undefined) appendBytes(this.#key, bytes, cursor.keyStart, cursor.keyLength)
    this.#headers?.append(bytes, headers)
    if (this.#value !== undefined) {
      const frame = this.#frameBytes
      appendBytes(this.#value, bytes, cursor.valueStart + frame, cursor.valueLength - frame)
    }
    for (let index = 0; index < lifted.length; index++) {
      appendLifted(this.#lifted[index] as LeafColumn, lifted[index] as Lifted, bytes)
    }
    if (this.#mismatches !== undefined) appendLifted(this.#mismatches, mismatches, bytes)
    if (this.#schemaVersion !== undefined) appendNumber(this.#schemaVersion, value?.reader.schemaVersion)
    this.#values?.append(value)
    this.#quality?.append(rules)
    this.#inline?.appendNone()
    this.rows.endRow()
  }

  /** A record that is not as the table asks, in the table all the same. Columns of text that cannot hold its bytes are null. */
  appendInline(cursor: RecordCursor, headers: HeaderIndex, error: string): void {
    const inline = this.#inline
    invariant(inline !== undefined, 'policy Inline has its columns')
    const { bytes } = cursor
    this.#appendCoordinates(cursor.offset, cursor.timestampMs)
    const keyFits = this.#appendIfItFits(this.#key, bytes, cursor.keyStart, cursor.keyLength)
    this.#headers?.append(bytes, headers)
    // What is wrong may be its frame.
    const fitting = this.#frameBytes === 0 ? this.#value : undefined
    const valueFits = this.#appendIfItFits(fitting, bytes, cursor.valueStart, cursor.valueLength)
    if (fitting === undefined) this.#value?.appendNull()
    for (const column of this.#lifted) column.appendNull()
    this.#mismatches?.appendNull()
    this.#schemaVersion?.appendNull()
    this.#values?.append(undefined)
    this.#quality?.append(undefined)
    inline.append(error, cursor, headers, keyFits, valueFits)
    this.rows.endRow()
  }

  #appendCoordinates(offset: number, timestampMs: number): void {
    this.#offset?.append(offset)
    if (this.#timestamp !== undefined) appendMillis(this.#timestamp, timestampMs)
    if (this.#id !== undefined) {
      const id = this.#ingestionId
      id.set(offset)
      this.#id.append(id.bytes, 0, id.length)
    }
  }

  #appendIfItFits(column: BytesColumn | undefined, bytes: Buffer, start: number, length: number): boolean {
    if (column === undefined) return false
    const fits = length < 0 || column.leaf.type === 'binary' || isUtf8(bytes, start, start + length)
    appendBytes(column, bytes, start, fits ? length : -1)
    return fits
  }
}

/** The columns that policy Inline adds; those for bytes are there only where the table has no place for any bytes. */
class InlineColumns {
  readonly #error: BytesColumn
  readonly #key: BytesColumn | undefined
  readonly #value: BytesColumn | undefined
  readonly #headers: HeaderColumns | undefined

  constructor(rows: RowGroupBuffer) {
    const has = (name: string) => rows.schema.fields.some(field => field.name === name)
    this.#error = bytesColumn(rows, INLINE.error)
    this.#key = has(INLINE.key) ? bytesColumn(rows, INLINE.key) : undefined
    this.#value = has(INLINE.value) ? bytesColumn(rows, INLINE.value) : undefined
    this.#headers = has(INLINE.headers) ? new HeaderColumns(rows, INLINE.headers) : undefined
  }

  appendNone(): void {
    this.#error.appendNull()
    this.#key?.appendNull()
    this.#value?.appendNull()
    this.#headers?.appendNull()
  }

  append(error: string, cursor: RecordCursor, headers: HeaderIndex, keyFits: boolean, valueFits: boolean): void {
    const { bytes } = cursor
    const text = Buffer.from(error)
    this.#error.append(text, 0, text.length)
    if (this.#key !== undefined) appendBytes(this.#key, bytes, cursor.keyStart, keyFits ? -1 : cursor.keyLength)
    if (this.#value !== undefined)
      appendBytes(this.#value, bytes, cursor.valueStart, valueFits ? -1 : cursor.valueLength)
    this.#headers?.append(bytes, headers)
  }
}

/** A length below 0 is null. */
export function appendBytes(column: BytesColumn, bytes: Buffer, start: number, length: number): void {
  if (length < 0) column.appendNull()
  else column.append(bytes, start, length)
}

/** Null when the record has no time (-1), or one that readers cannot show. */
export function appendMillis(column: LongColumn, ms: number): void {
  const micros = ms === -1 ? undefined : microsOf(ms)
  if (micros === undefined) column.appendNull()
  else if (typeof micros === 'bigint') column.appendBig(micros)
  else column.append(micros)
}

function appendLifted(column: LeafColumn, lifted: Lifted, bytes: Buffer): void {
  switch (lifted.held) {
    case HELD.NULL:
      column.appendNull()
      return
    case HELD.BYTES:
      ;(column as BytesColumn).append(bytes, lifted.start, lifted.length)
      return
    case HELD.OWN_BYTES:
      ;(column as BytesColumn).append(lifted.bytes, 0, lifted.bytes.length)
      return
    case HELD.NUMBER:
      if (column instanceof LongColumn) column.append(lifted.number)
      else (column as NumberColumn | DecimalColumn).append(lifted.number)
      return
    case HELD.BIG:
      ;(column as LongColumn | DecimalColumn).appendBig(lifted.big)
      return
    case HELD.BOOLEAN:
      ;(column as BooleanColumn).append(lifted.number === 1)
  }
}

export function longColumn(rows: RowGroupBuffer, path: string): LongColumn {
  const column = rows.column(path)
  invariant(column instanceof LongColumn, `${path} is a column of integers of 64 bits`)
  return column
}

function numberColumn(rows: RowGroupBuffer, path: string): NumberColumn {
  const column = rows.column(path)
  invariant(column instanceof NumberColumn, `${path} is a column of numbers`)
  return column
}

function appendNumber(column: NumberColumn, value: number | undefined): void {
  if (value === undefined) column.appendNull()
  else column.append(value)
}

function leafColumn(rows: RowGroupBuffer, path: string): LeafColumn {
  const column = rows.column(path)
  invariant(column !== undefined, `${path} is a column`)
  return column
}

const optional = <T>(name: string | undefined, make: (name: string) => T): T | undefined =>
  name === undefined ? undefined : make(name)
