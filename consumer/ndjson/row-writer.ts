import { invariant } from '../../lib/errors.ts'
import type { ColumnChunk, RowGroupBuffer } from '../columns/row-group.ts'
import type { Field } from '../columns/schema.ts'
import { createPart } from './create-part.ts'
import { LongCursor } from './long-cursor.ts'
import { memberName } from './nested-part.ts'
import { Output } from './output.ts'
import type { Part } from './part.ts'

const LINE_END = '}\n'

export interface RowOptions {
  /** Text that is JSON (`isJson`) stands in the line as it is, instead of as a string. */
  readonly embedJson?: boolean
  /** A field of type long: of the chunk's last row its value is told. */
  readonly longColumn?: string
  /** What a field is called in the lines; undefined: it is not in them. By default its own name. */
  readonly memberOf?: (field: Field) => string | undefined
  /** Whether a field's bytes are text where they are UTF-8 and `{"base64":…}` where not, as those of headers; else all are base64. */
  readonly isMaybeText?: (field: Field) => boolean
}

const ownName = ({ name }: Field): string => name
const never = (): boolean => false

/** Writes the rows of a group, one after another, each as a line of JSON. */
export class RowWriter {
  /** What varies from row to row. */
  readonly #parts: Part[] = []
  /** Before each part the text that all rows have there: names, and values of columns that are constant. */
  readonly #texts: Buffer[] = []
  readonly #lineEnd: Buffer
  #long: LongCursor | undefined
  #constantLong: number | undefined
  /** Where the long column goes that is not in the lines. */
  #aside: Output | undefined

  constructor(
    group: RowGroupBuffer,
    { embedJson = false, longColumn, memberOf = ownName, isMaybeText = never }: RowOptions
  ) {
    const chunks = group.chunks()
    const fields = new Map(group.schema.fields.map(field => [field.name, field]))
    let text: Buffer[] = []
    let isFirst = true
    for (const { name, node } of group.shape.fields) {
      const field = fields.get(name) as Field
      const member = memberOf(field)
      if (member === undefined && name !== longColumn) continue
      const part = createPart(field, node, chunks, { embedJson, isMaybeText: isMaybeText(field) })
      const chunk = node.kind === 'leaf' ? (chunks[node.leaf] as ColumnChunk) : undefined
      const isConstant = chunk !== undefined && (chunk.dictionary !== undefined || chunk.nullCount === group.rows)
      const value = isConstant ? written(part) : undefined
      if (name === longColumn) {
        invariant(part instanceof LongCursor, `${name} is a column of 64-bit integers`)
        if (isConstant) this.#constantLong = part.last
        else this.#long = part
      }
      if (member === undefined) {
        this.#aside = new Output(0)
        continue
      }
      text.push(Buffer.from(`${isFirst ? '{' : ','}${memberName(member)}`))
      isFirst = false
      if (value !== undefined) text.push(value)
      else {
        this.#texts.push(Buffer.concat(text))
        this.#parts.push(part)
        text = []
      }
    }
    invariant(longColumn === undefined || fields.has(longColumn), `${longColumn} is a column`)
    this.#lineEnd = Buffer.concat([...text, Buffer.from(isFirst ? `{${LINE_END}` : LINE_END)])
  }

  /** Of the long column, the value in the row written last; undefined when that is null. */
  get lastLong(): number | undefined {
    return this.#long === undefined ? this.#constantLong : this.#long.last
  }

  write(out: Output): void {
    if (this.#aside !== undefined) {
      this.#aside.length = 0
      this.#long?.write(this.#aside)
    }
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
