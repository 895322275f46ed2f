import { invariant } from '../../lib/errors.ts'
import type { StatValue } from '../parquet/bounds.ts'
import { shapeOf, type Leaf, type Shape } from '../parquet/leaves.ts'
import type { Page } from '../parquet/page.ts'
import { constantPages, type Constant } from './constant.ts'
import { createColumn } from './create-column.ts'
import type { LeafColumn } from './leaf-column.ts'
import type { TableSchema } from './schema.ts'
import type { PartitionValue } from './transforms.ts'
import { appendField } from './shred.ts'

/** Of a column beside its values: its object and what belongs to that; measured. */
const COLUMN_BYTES = 550

const shapes = new WeakMap<TableSchema, Shape>()

const knownShape = (schema: TableSchema): Shape => {
  let shape = shapes.get(schema)
  if (shape === undefined) shapes.set(schema, (shape = shapeOf(schema)))
  return shape
}

/** One leaf's pages of one row group, ready to be written. */
export interface ColumnChunk {
  readonly leaf: Leaf
  readonly dictionary: Page | undefined
  readonly pages: readonly Page[]
  readonly nullCount: number
  readonly min: StatValue | undefined
  readonly max: StatValue | undefined
  /** False when a bound was cut: it then is no value of the column. */
  readonly isExact: boolean
}

/**
 * One Kafka partition's rows of one batch: a Parquet row group in the making. Rows are appended column by column; what is
 * full is compressed at once. Columns to which nothing was appended are constant, and null unless told otherwise.
 */
export class RowGroupBuffer {
  /** Of the partition fields, in their order: the values that all rows have. Undefined where the sink knows them. */
  readonly partitionValues: readonly (PartitionValue | undefined)[]
  #schema: TableSchema
  #shape: Shape
  #columns: readonly LeafColumn[]
  readonly #constants = new Map<string, Constant>()
  #rows = 0

  constructor(
    schema: TableSchema,
    partitionValues: readonly (PartitionValue | undefined)[] = (schema.partitionFields ?? []).map(() => undefined)
  ) {
    this.partitionValues = partitionValues
    this.#schema = schema
    this.#shape = knownShape(schema)
    this.#columns = this.#shape.leaves.map(createColumn)
  }

  get schema(): TableSchema {
    return this.#schema
  }

  get shape(): Shape {
    return this.#shape
  }

  /** In the order of the shape's leaves. */
  get columns(): readonly LeafColumn[] {
    return this.#columns
  }

  /**
   * Takes on a schema that has further fields after those of its own; they are null in the rows that are there. False when the
   * schemas differ otherwise: then other rows need a row group of their own.
   */
  extend(schema: TableSchema): boolean {
    const { fields } = this.#schema
    if (schema.fields.length < fields.length || !fields.every((field, index) => field === schema.fields[index]))
      return false
    const shape = knownShape(schema)
    const added = shape.leaves.slice(this.#columns.length).map(createColumn)
    // A column that was never appended to is null in all rows.
    for (const column of this.#rows === 0 ? [] : added) column.appendNulls(this.#rows)
    this.#schema = schema
    this.#shape = shape
    this.#columns = [...this.#columns, ...added]
    return true
  }

  get rows(): number {
    return this.#rows
  }

  /** Bytes of memory held now. */
  get bytes(): number {
    let sum = this.#columns.length * COLUMN_BYTES
    for (const column of this.#columns) sum += column.bytes
    return sum
  }

  /** The column of a leaf by its dotted Parquet path; undefined when the file does not hold it. */
  column(path: string): LeafColumn | undefined {
    return this.#columns[this.#shape.leaves.findIndex(({ name }) => name === path)]
  }

  /** Ends a row of which every column that is not constant was appended to. */
  endRow(): void {
    this.#rows++
  }

  /**
   * Appends a row of plain values: Buffer or string, number, bigint, boolean; objects for structs, arrays for lists, Maps
   * for maps; null or undefined for null. Slow, for rows that are few. Throws TypeError for what a column cannot hold; the row
   * group is then of no use.
   */
  appendRow(row: Readonly<Record<string, unknown>>): void {
    for (const { name, node } of this.#shape.fields) {
      if (!this.#constants.has(name)) appendField(node, row[name], this.#columns)
    }
    this.#rows++
  }

  /**
   * Gives a column one value in all rows; timestamps in microseconds, dates in days since 1970. Partition fields are
   * not written to the file and are passed over. May be called last, and again.
   */
  setConstant(field: string, value: Constant): void {
    if (this.schema.partitionBy.includes(field)) return
    const column = this.column(field)
    invariant(column !== undefined, `${field} is a column`)
    invariant(column.count === column.nullCount, `${field} is constant or has values of its own in the rows`)
    invariant(value !== null || column.leaf.maxDefinition > 0, `${field} may be null`)
    this.#constants.set(field, value)
  }

  /** All columns in file order. Open pages are closed; calling it again gives the same. */
  chunks(): readonly ColumnChunk[] {
    return this.#columns.map(column => {
      const { leaf } = column
      if (this.#rows > 0 && (column.count === 0 || this.#constants.has(leaf.name)))
        return constantChunk(leaf, this.#constants.get(leaf.name) ?? null, this.#rows)
      invariant(
        leaf.maxRepetition > 0 ? column.count >= this.#rows : column.count === this.#rows,
        `${leaf.name} has a value in each of ${this.#rows} rows, not in ${column.count}`
      )
      return { leaf, dictionary: undefined, pages: column.finish(), ...boundsOf(column), nullCount: column.nullCount }
    })
  }
}

function constantChunk(leaf: Leaf, value: Constant, rows: number): ColumnChunk {
  invariant(value !== null || leaf.maxDefinition > 0, `${leaf.name} is not nullable and has a value`)
  const { dictionary, data } = constantPages(leaf, value, rows)
  const sample = createColumn(leaf)
  if (value !== null) sample.appendValue(value, leaf.maxDefinition, 0)
  return { leaf, dictionary, pages: [data], nullCount: value === null ? rows : 0, ...boundsOf(sample) }
}

const boundsOf = (column: LeafColumn) => ({ min: column.min(), max: column.max(), isExact: column.isExact })
