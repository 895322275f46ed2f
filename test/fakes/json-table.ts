import assert from 'node:assert/strict'
import type { SettledSchema } from '../../crds/settled.ts'
import type { Binding } from '../../consumer/columns/binding.ts'
import { mergeFields } from '../../consumer/columns/evolve.ts'
import { RowGroupBuffer } from '../../consumer/columns/row-group.ts'
import type { Field } from '../../consumer/columns/schema.ts'
import { appendField } from '../../consumer/columns/shred.ts'
import { createJsonReader } from '../../consumer/decode/json-inferred.ts'
import type { ValueReader } from '../../consumer/decode/value-reader.ts'
import { encodeParquet } from '../../consumer/parquet/file.ts'
import { RecordCursor } from '../../consumer/record-batch.ts'
import { rowsOf } from './parquet.ts'
import { dataBatch } from './records.ts'

/** Every table has a column of its own; here it counts the rows. */
export const ROW: Field = { name: '_row', type: 'int', nullable: false }
const PARTITION = { topic: 'orders', topicId: 'id', partition: 0 }

/** A table whose columns grow by the fields of JSON values, without anything else in it. */
export class JsonTable {
  columns: readonly Field[]
  /** Of the record that was added last. */
  bindings: readonly Binding[] = []
  readonly reader: ValueReader
  readonly #rule: SettledSchema['onIncompatible']
  readonly #cursor = new RecordCursor()
  readonly #groups: RowGroupBuffer[] = []
  #count = 0

  constructor(
    rule: SettledSchema['onIncompatible'] = 'DeadLetter',
    columns: readonly Field[] = [],
    readerFor: (known: () => readonly Field[]) => ValueReader = createJsonReader
  ) {
    this.#rule = rule
    this.columns = columns
    this.reader = readerFor(() => this.columns)
  }

  /** Row groups begun: a new one whenever the columns grew. */
  get groups(): number {
    return this.#groups.length
  }

  /** Adds a record's value; gives why it is no row, if it is none. */
  add(value: string | Uint8Array | null): string | undefined {
    const { reader } = this
    this.#cursor.reset(dataBatch(PARTITION, 0, [{ value }]))
    assert.ok(this.#cursor.next())
    const found = reader.check(this.#cursor)
    if (found !== undefined) {
      assert.ok('reason' in found)
      return found.reason
    }
    const options = { onIncompatible: this.#rule, reserved: new Set([ROW.name]), canWiden: true }
    const { fields, bindings, conflicts } = mergeFields(this.columns, reader.fields, options)
    if (conflicts.length > 0) return `IncompatibleSchema: ${conflicts.join(', ')}`
    this.bindings = bindings
    this.#grow(fields)
    const rows = this.#groups.at(-1)
    assert.ok(rows !== undefined)
    reader.append(rows, bindings)
    const bound = new Set(bindings.map(({ target }) => target))
    for (const { name, node } of rows.shape.fields) {
      if (!bound.has(name)) appendField(node, name === ROW.name ? this.#count++ : null, rows.columns)
    }
    rows.endRow()
    return undefined
  }

  /** All rows, as one file per row group has them; columns that came later are null in the earlier ones. */
  async rows(): Promise<Record<string, unknown>[]> {
    const nothing = Object.fromEntries(this.columns.map(({ name }) => [name, null]))
    const files = await Promise.all(this.#groups.map(group => rowsOf(encodeParquet(group.schema, [group]))))
    return files.flat().map(row => ({ ...nothing, ...row }))
  }

  #grow(fields: readonly Field[]): void {
    const before = new Set(this.columns.map(({ name }) => name))
    const found = new Map(fields.map(field => [field.name, field]))
    const grown = [
      ...this.columns.map(field => found.get(field.name) ?? field),
      ...fields.filter(({ name }) => !before.has(name))
    ]
    const isSame = JSON.stringify(grown) === JSON.stringify(this.columns)
    if (!isSame) this.columns = grown
    if (!isSame || this.#groups.length === 0) {
      this.#groups.push(new RowGroupBuffer({ fields: [ROW, ...this.columns], partitionBy: [] }))
    }
  }
}
