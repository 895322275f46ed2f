import type { MetadataColumn, MetadataSource } from '../../crds/settled.ts'
import { invariant } from '../../lib/errors.ts'
import { isNested, type PartitionField, type Primitive, type TableSchema } from '../columns/schema.ts'
import { transformed, tupleKey, type PartitionValue, type SourceValue } from '../columns/transforms.ts'
import type { Partition } from '../partition.ts'
import type { RecordCursor } from '../record-batch.ts'
import { microsOf } from './timestamp.ts'
import { isUtf8 } from './utf8.ts'

/** Tuples of partition values that one table may gather rows of at a time (law 7). */
export const MAX_OPEN_TUPLES = 64
/** Columns in all row groups of one table together: each takes about 1 KiB while it is nearly empty, and 6 KiB in a commit. */
export const MAX_OPEN_COLUMNS = 8192

/** The tuples that a table gathers rows of, over all its partitions, each of which has a row group for each. */
export class OpenTuples {
  readonly #keys = new Set<string>()
  #columns = 0
  #hasRefused = false

  get isFull(): boolean {
    return this.#hasRefused || this.#keys.size >= MAX_OPEN_TUPLES
  }

  /** Whether a row group of so many columns may be begun for the tuple. */
  open(key: string, columns: number): boolean {
    const isWide = this.#columns > 0 && this.#columns + columns > MAX_OPEN_COLUMNS
    if (isWide || (!this.#keys.has(key) && this.#keys.size >= MAX_OPEN_TUPLES)) {
      this.#hasRefused = true
      return false
    }
    this.#keys.add(key)
    this.#columns += columns
    return true
  }

  /** Only these are left, with row groups of so many columns. */
  reset(keys: Iterable<string>, columns: number): void {
    this.#keys.clear()
    for (const key of keys) this.#keys.add(key)
    this.#columns = columns
    this.#hasRefused = false
  }
}

type Read = (cursor: RecordCursor) => SourceValue

interface RowField {
  readonly field: PartitionField
  readonly type: Primitive
  readonly read: Read
}

/** Finds the partition values of records, as an Iceberg table is partitioned. */
export class RowTuples {
  /** Of the record that was looked at last; undefined where only the sink knows them. */
  values: readonly (PartitionValue | undefined)[]
  /** Texts of the values: the same exactly when the values are. */
  key: string
  readonly #fields: readonly RowField[]
  readonly #positions: readonly number[]
  readonly #last: PartitionValue[]

  constructor(schema: TableSchema, metadataColumns: readonly MetadataColumn[], partition: Partition) {
    const fields = (schema.partitionFields ?? []).map(field => {
      const type = schema.fields.find(({ name }) => name === field.column)?.type
      const metadata = metadataColumns.find(({ name }) => name === field.column)
      invariant(type !== undefined && !isNested(type) && metadata !== undefined, `${field.column} is a metadata column`)
      return { field, type, metadata }
    })
    this.values = fields.map(({ field, type, metadata }) => {
      const constant = CONSTANT[metadata.source]?.(partition)
      if (constant !== undefined) return transformed(field.transform, type, constant)
      return PER_ROW[metadata.source] === undefined ? undefined : null
    })
    this.key = tupleKey(this.values)
    const perRow = fields.flatMap(({ field, type, metadata }, position) => {
      const read = PER_ROW[metadata.source]?.(metadata)
      return read === undefined ? [] : { field, type, read, position }
    })
    this.#fields = perRow
    this.#positions = perRow.map(({ position }) => position)
    this.#last = perRow.map(() => null)
  }

  /** Looks at a record; whether its tuple is another than that of the record before. */
  moved(cursor: RecordCursor): boolean {
    let isOther = false
    for (let index = 0; index < this.#fields.length; index++) {
      const { field, type, read } = this.#fields[index] as RowField
      const value = transformed(field.transform, type, read(cursor))
      if (value !== this.#last[index]) {
        this.#last[index] = value
        isOther = true
      }
    }
    if (!isOther) return false
    const values = [...this.values]
    for (const [index, position] of this.#positions.entries()) values[position] = this.#last[index]
    this.values = values
    const key = tupleKey(values)
    const isMoved = key !== this.key
    this.key = key
    return isMoved
  }
}

const CONSTANT: Readonly<Partial<Record<MetadataSource, (partition: Partition) => string | number>>> = {
  Topic: ({ topic }) => topic,
  Partition: ({ partition }) => partition
}

/** As the row writer has them: what the column would show as null is null here. */
const PER_ROW: Readonly<Partial<Record<MetadataSource, (column: MetadataColumn) => Read>>> = {
  Offset: () => cursor => cursor.offset,
  Timestamp: () => cursor => (cursor.timestampMs === -1 ? null : microsOf(cursor.timestampMs)),
  Key: ({ type }) => (type === 'String' ? textOfKey : bytesOfKey)
}

function bytesOfKey({ bytes, keyStart, keyLength }: RecordCursor): Uint8Array | null {
  return keyLength < 0 ? null : Buffer.from(bytes.subarray(keyStart, keyStart + keyLength))
}

function textOfKey({ bytes, keyStart, keyLength }: RecordCursor): string | null {
  if (keyLength < 0 || !isUtf8(bytes, keyStart, keyStart + keyLength)) return null
  return bytes.toString('utf8', keyStart, keyStart + keyLength)
}
