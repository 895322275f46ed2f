import type { LiftedColumn, MetadataColumn, MetadataSource } from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import { INLINE } from '../columns/bronze.ts'
import type { BytesColumn } from '../columns/bytes-column.ts'
import type { BooleanColumn, NumberColumn } from '../columns/fixed-column.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import { LongColumn } from '../columns/long-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Partition } from '../partition.ts'
import type { RecordCursor } from '../record-batch.ts'
import { bytesColumn, HeaderColumns } from './header-columns.ts'
import type { HeaderIndex } from './header-index.ts'
import { IngestionId } from './ingestion-id.ts'
import { HELD, type Lifted } from './lift.ts'
import { microsOf } from './timestamp.ts'
import { isUtf8 } from './utf8.ts'

/** Writes records into the columns of one row group of a bronze table. */
export class RowWriter {
  readonly #rows: RowGroupBuffer
  readonly #offset: LongColumn | undefined
  readonly #timestamp: LongColumn | undefined
  readonly #key: BytesColumn | undefined
  readonly #headers: HeaderColumns | undefined
  readonly #id: BytesColumn | undefined
  readonly #ingestionId: IngestionId
  readonly #value: BytesColumn | undefined
  readonly #lifted: readonly LeafColumn[]
  readonly #inline: InlineColumns | undefined

  constructor(
    rows: RowGroupBuffer,
    metadataColumns: readonly MetadataColumn[],
    lifted: readonly LiftedColumn[],
    partition: Partition,
    epoch: number
  ) {
    const named = (source: MetadataSource) => metadataColumns.find(column => column.source === source)?.name
    const bytes = (source: MetadataSource) => optional(named(source), name => bytesColumn(rows, name))
    this.#rows = rows
    this.#offset = optional(named('Offset'), name => longColumn(rows, name))
    this.#timestamp = optional(named('Timestamp'), name => longColumn(rows, name))
    this.#key = bytes('Key')
    this.#headers = optional(named('Headers'), name => new HeaderColumns(rows, name))
    this.#id = bytes('IngestionId')
    this.#ingestionId = new IngestionId(partition, epoch)
    this.#value = bytes('Value')
    this.#lifted = lifted.map(({ name }) => leafColumn(rows, name))
    this.#inline = rows.column(INLINE.error) === undefined ? undefined : new InlineColumns(rows)
  }

  /** What the record is has been checked; `lifted` is in the order of the columns. */
  append(cursor: RecordCursor, headers: HeaderIndex, lifted: readonly Lifted[]): void {
    const { bytes } = cursor
    this.#appendCoordinates(cursor.offset, cursor.timestampMs)
    if (this.#key !== undefined) appendBytes(this.#key, bytes, cursor.keyStart, cursor.keyLength)
    this.#headers?.append(bytes, headers)
    if (this.#value !== undefined) appendBytes(this.#value, bytes, cursor.valueStart, cursor.valueLength)
    for (let index = 0; index < lifted.length; index++) {
      appendLifted(this.#lifted[index] as LeafColumn, lifted[index] as Lifted, bytes)
    }
    this.#inline?.appendNone()
    this.#rows.endRow()
  }

  /** A record that is not as the table asks, in the table all the same. Columns of text that cannot hold its bytes are null. */
  appendInline(cursor: RecordCursor, headers: HeaderIndex, error: string): void {
    const inline = this.#inline
    invariant(inline !== undefined, 'policy Inline has its columns')
    const { bytes } = cursor
    this.#appendCoordinates(cursor.offset, cursor.timestampMs)
    const keyFits = this.#appendIfItFits(this.#key, bytes, cursor.keyStart, cursor.keyLength)
    this.#headers?.append(bytes, headers)
    const valueFits = this.#appendIfItFits(this.#value, bytes, cursor.valueStart, cursor.valueLength)
    for (const column of this.#lifted) column.appendNull()
    inline.append(error, cursor, headers, keyFits, valueFits)
    this.#rows.endRow()
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
      else (column as NumberColumn).append(lifted.number)
      return
    case HELD.BIG:
      ;(column as LongColumn).appendBig(lifted.big)
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

function leafColumn(rows: RowGroupBuffer, path: string): LeafColumn {
  const column = rows.column(path)
  invariant(column !== undefined, `${path} is a column`)
  return column
}

const optional = <T>(name: string | undefined, make: (name: string) => T): T | undefined =>
  name === undefined ? undefined : make(name)
