import type { Binding } from '../columns/binding.ts'
import type { LeafColumn } from '../columns/leaf-column.ts'
import type { RowGroupBuffer } from '../columns/row-group.ts'
import type { Node } from '../parquet/leaves.ts'
import type { ValueReader } from './value-reader.ts'

/** A record's value with the columns that its fields go to. */
export interface BoundValue {
  readonly reader: ValueReader
  readonly bindings: readonly Binding[]
}

/** The columns of one row group that are for fields of values: those that a record has nothing for are null. */
export class ValueColumns {
  readonly #rows: RowGroupBuffer
  /** Where they begin among the schema's fields. */
  readonly #first: number
  /** Leaves without a field, by bindings. */
  #unbound = new Map<readonly Binding[], readonly LeafColumn[]>()
  #columns: readonly LeafColumn[]
  #lastBindings: readonly Binding[] = NONE
  #last: readonly LeafColumn[]

  constructor(rows: RowGroupBuffer, first: number) {
    this.#rows = rows
    this.#first = first
    this.#columns = rows.columns
    this.#last = this.#without(NONE)
  }

  append(value: BoundValue | undefined): void {
    const bindings = value?.bindings ?? NONE
    // The row group may have been given further columns since.
    if (this.#columns !== this.#rows.columns) {
      this.#columns = this.#rows.columns
      this.#unbound = new Map()
      this.#last = this.#without((this.#lastBindings = bindings))
    } else if (bindings !== this.#lastBindings) this.#last = this.#without((this.#lastBindings = bindings))
    value?.reader.append(this.#rows, bindings)
    const unbound = this.#last
    for (let index = 0; index < unbound.length; index++) (unbound[index] as LeafColumn).appendNull(0, 0)
  }

  #without(bindings: readonly Binding[]): readonly LeafColumn[] {
    let unbound = this.#unbound.get(bindings)
    if (unbound === undefined) {
      const targets = new Set(bindings.map(({ target }) => target))
      const { shape, schema } = this.#rows
      const names = new Set(schema.fields.slice(this.#first).map(({ name }) => name))
      const free = shape.fields.filter(({ name }) => names.has(name) && !targets.has(name))
      unbound = free.flatMap(({ node }) => leavesOf(node).map(leaf => this.#rows.columns[leaf] as LeafColumn))
      // Readers of JSON may have many sets of fields.
      if (this.#unbound.size >= MAX_REMEMBERED) this.#unbound.clear()
      this.#unbound.set(bindings, unbound)
    }
    return unbound
  }
}

const NONE: readonly Binding[] = []
const MAX_REMEMBERED = 256

function leavesOf(node: Node): readonly number[] {
  switch (node.kind) {
    case 'leaf':
      return [node.leaf]
    case 'struct':
      return node.fields.flatMap(field => leavesOf(field.node))
    case 'list':
      return leavesOf(node.element)
  }
}
