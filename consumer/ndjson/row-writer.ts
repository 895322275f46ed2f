import { invariant } from '../../lib/errors.ts'
import type { ColumnChunk, RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import { createPart } from './create-part.ts'
import { LongCursor } from './long-cursor.ts'
import { memberName } from './nested-part.ts'
import { Output } from './output.ts'
import type { Part } from './part.ts'

const LINE_END = '}\n'

/** Writes the rows of a group, one after another, each as a line of JSON. */
export class RowWriter {
  /** What varies from row to row. */
  readonly #parts: Part[] = []
  /** Before each part the text that all rows have there: names, and values of columns that are constant. */
  readonly #texts: Buffer[] = []
  readonly #lineEnd: Buffer
  #long: LongCursor | undefined
  #constantLong: number | undefined

  constructor(group: RowGroupBuffer, embedJson: boolean, longColumn: string | undefined) {
    const chunks = group.chunks()
    const fields = new Map(group.schema.fields.map(field => [field.name, field]))
    let text: Buffer[] = []
    for (const [index, { name, node }] of group.shape.fields.entries()) {
      text.push(Buffer.from(`${index === 0 ? '{' : ','}${memberName(name)}`))
      const part = createPart(fields.get(name) as Field, node, chunks, embedJson)
      const chunk = node.kind === 'leaf' ? (chunks[node.leaf] as ColumnChunk) : undefined
      const isConstant = chunk !== undefined && (chunk.dictionary !== undefined || chunk.nullCount === group.rows)
      if (isConstant) text.push(written(part))
      else {
        this.#texts.push(Buffer.concat(text))
        this.#parts.push(part)
        text = []
      }
      if (name !== longColumn) continue
      invariant(part instanceof LongCursor, `${name} is a column of 64-bit integers`)
      if (isConstant) this.#constantLong = part.last
      else this.#long = part
    }
    invariant(longColumn === undefined || fields.has(longColumn), `${longColumn} is a column`)
    this.#lineEnd = Buffer.concat([...text, Buffer.from(group.shape.fields.length === 0 ? `{${LINE_END}` : LINE_END)])
  }

  /** Of the long column, the value in the row written last; undefined when that is null. */
  get lastLong(): number | undefined {
    return this.#long === undefined ? this.#constantLong : this.#long.last
  }

  write(out: Output): void {
    const parts = this.#parts
    const texts = this.#texts
    for (let index = 0; index < parts.length; index++) {
      out.append(texts[index] as Buffer)
      ;(parts[index] as Part).write(out)
    }
    out.append(this.#lineEnd)
  }
}

function written(part: Part): Buffer {
  const out = new Output(0)
  part.write(out)
  return out.take(out.length)
}
