import { isNested, type ColumnType, type Field } from '../columns/schema.ts'
import type { ColumnChunk } from '../columns/row-group.ts'
import type { Leaf, Node } from '../parquet/leaves.ts'
import { BinaryCursor, FixedCursor, HeaderValueCursor, JsonCursor, TextCursor } from './bytes-cursor.ts'
import { DecimalCursor } from './decimal-cursor.ts'
import type { LeafCursor } from './leaf-cursor.ts'
import { LongCursor, TimeCursor, TimestampCursor } from './long-cursor.ts'
import { ListPart, MapPart, StructPart } from './nested-part.ts'
import { BooleanCursor, DateCursor, DoubleCursor, IntCursor } from './number-cursor.ts'
import { openPages, type OpenPage } from './open-page.ts'
import type { Part } from './part.ts'

type Chunks = readonly ColumnChunk[]
/** How bytes or text of a leaf are said in JSON, where its type alone does not tell. */
type Meaning = 'json' | 'header' | undefined

/** The part of a field and all that is below it. */
export function createPart(
  field: Field,
  node: Node,
  chunks: Chunks,
  { embedJson, isMaybeText }: { readonly embedJson: boolean; readonly isMaybeText: boolean }
): Part {
  const isHeader = isMaybeText && field.type === 'binary'
  return partOf(field.type, node, chunks, { isJson: embedJson && field.isJson === true, isHeader, embedJson })
}

interface Context {
  readonly isJson?: boolean
  readonly isHeader?: boolean
  readonly embedJson: boolean
}

function partOf(type: ColumnType, node: Node, chunks: Chunks, context: Context): Part {
  const { embedJson } = context
  if (node.kind === 'leaf') {
    const chunk = chunks[node.leaf] as ColumnChunk
    return createCursor(
      chunk.leaf,
      openPages(chunk),
      context.isJson === true ? 'json' : context.isHeader === true ? 'header' : undefined
    )
  }
  if (node.kind === 'struct') {
    const fields = (type as { readonly struct: readonly Field[] }).struct
    const isHeader = context.isHeader === true
    return new StructPart(
      node.definition,
      node.fields.map(({ name, node: inner }, index) => {
        const field = fields[index] as Field
        const isJson = embedJson && field.isJson === true
        return {
          name,
          part: partOf(field.type, inner, chunks, { isJson, isHeader: isHeader && name === 'value', embedJson })
        }
      })
    )
  }
  if (!node.isMap) {
    const element = (type as { readonly list: ColumnType }).list
    return new ListPart(node, partOf(element, node.element, chunks, { isHeader: isHeader(element), embedJson }))
  }
  const { key, value } = (type as Extract<ColumnType, { readonly map: unknown }>).map
  const [keyNode, valueNode] = (node.element as Extract<Node, { kind: 'struct' }>).fields.map(field => field.node) as [
    Node,
    Node
  ]
  const keyPart = partOf(key, keyNode, chunks, { embedJson })
  const valuePart = partOf(value, valueNode, chunks, { embedJson })
  if (key === 'string') return new MapPart(node, keyPart, valuePart)
  const parts = [
    { name: 'key', part: keyPart },
    { name: 'value', part: valuePart }
  ]
  return new ListPart(node, new StructPart(node.definition, parts))
}

/** A header of a record as our tables have them. */
const isHeader = (type: ColumnType): boolean =>
  isNested(type) &&
  'struct' in type &&
  type.struct.length === 2 &&
  type.struct[0]?.name === 'key' &&
  type.struct[0].type === 'string' &&
  type.struct[1]?.name === 'value' &&
  type.struct[1].type === 'binary'

export function createCursor(leaf: Leaf, pages: Iterator<OpenPage>, meaning?: Meaning): LeafCursor {
  const { type } = leaf
  if (typeof type === 'object')
    return 'decimal' in type ? new DecimalCursor(leaf, pages, type.decimal) : new FixedCursor(leaf, pages, type.fixed)
  switch (type) {
    case 'string':
      return meaning === 'json' ? new JsonCursor(leaf, pages) : new TextCursor(leaf, pages)
    case 'binary':
      return meaning === 'header' ? new HeaderValueCursor(leaf, pages) : new BinaryCursor(leaf, pages)
    case 'long':
      return new LongCursor(leaf, pages)
    case 'timestamp':
    case 'timestampNtz':
      return new TimestampCursor(leaf, pages)
    case 'time':
      return new TimeCursor(leaf, pages)
    case 'uuid':
      return new FixedCursor(leaf, pages, 16)
    case 'boolean':
      return new BooleanCursor(leaf, pages)
    case 'int':
      return new IntCursor(leaf, pages)
    case 'date':
      return new DateCursor(leaf, pages)
    case 'float':
    case 'double':
      return new DoubleCursor(leaf, pages)
  }
}
