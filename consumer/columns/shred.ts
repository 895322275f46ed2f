import type { Node } from '../parquet/leaves.ts'
import type { LeafColumn } from './leaf-column.ts'

/** Takes a value apart into the leaves below `node` (Dremel's record shredding). Throws TypeError for what does not fit. */
export function appendField(node: Node, value: unknown, columns: readonly LeafColumn[]): void {
  append(node, value, columns, 0, 0)
}

/** `above` is the definition level of the parent that is there. */
function append(node: Node, value: unknown, columns: readonly LeafColumn[], above: number, repetition: number): void {
  if (value === null || value === undefined) {
    if (!node.nullable) throw new TypeError('a value that is not nullable is null')
    appendAbsent(node, columns, above, repetition)
    return
  }
  switch (node.kind) {
    case 'leaf':
      columnOf(columns, node.leaf).appendValue(value, node.definition, repetition)
      return
    case 'struct': {
      const parts = value as Readonly<Record<string, unknown>>
      for (const { name, node: field } of node.fields) append(field, parts[name], columns, node.definition, repetition)
      return
    }
    case 'list': {
      const items = node.isMap ? entriesOf(value) : (value as readonly unknown[])
      if (!Array.isArray(items)) throw new TypeError(`a list was given ${typeof value}`)
      if (items.length === 0) appendAbsent(node.element, columns, node.definition - 1, repetition)
      let level = repetition
      for (const item of items) {
        append(node.element, item, columns, node.definition, level)
        level = node.repetition
      }
    }
  }
}

/** A null in every leaf below, at the level of the last parent that is there. */
function appendAbsent(node: Node, columns: readonly LeafColumn[], above: number, repetition: number): void {
  switch (node.kind) {
    case 'leaf':
      columnOf(columns, node.leaf).appendNull(above, repetition)
      return
    case 'struct':
      for (const { node: field } of node.fields) appendAbsent(field, columns, above, repetition)
      return
    case 'list':
      appendAbsent(node.element, columns, above, repetition)
  }
}

function entriesOf(value: unknown): readonly unknown[] {
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
  return entries.map(([key, value]) => ({ key, value }))
}

function columnOf(columns: readonly LeafColumn[], leaf: number): LeafColumn {
  return columns[leaf] as LeafColumn
}
