import { MAX_DEPTH, ProtoBytes, ProtoError } from './proto-bytes.ts'
import { WIRE, type FieldPlan, type Kind, type MessagePlan, type ValuePlan } from './proto-plan.ts'
import { defaultOf, microsOf } from './proto-values.ts'

/**
 * Values in what is nested or repeated in one record, fields of messages included: each takes memory until it is in its
 * column.
 */
const MAX_VALUES = 1_000_000

/** The values of a message by the index of their field; undefined for what is not set. */
export type MessageValues = unknown[]

/**
 * Reads what is not just a value in one place: messages as arrays of values, repeated fields as arrays, maps as Maps;
 * whole numbers are bigints where they are not safe, and always for `uint64` and `fixed64`; strings and enums text;
 * bytes Buffers that share the record's.
 */
export class ProtoScanner extends ProtoBytes {
  #valuesLeft = MAX_VALUES

  override reset(bytes: Buffer, start: number, end: number): void {
    super.reset(bytes, start, end)
    this.#valuesLeft = MAX_VALUES
  }

  /** Reads a value of a field, whose tag was read, and puts it to those that came before. */
  field(field: FieldPlan, wire: number, values: MessageValues, depth: number): void {
    const { index, label, value } = field
    if (label === 'map') this.#entry(field, wire, values, depth)
    else if (label === 'repeated') this.#items(field, wire, values, depth)
    else {
      if (wire !== value.wire) throw new ProtoError('it is of another wire type')
      // Of one in pieces the later ones are merged into the first.
      const before = values[index]
      for (const peer of field.peers) values[peer] = undefined
      values[index] = this.#one(value, depth, before as MessageValues | undefined)
    }
  }

  #items({ index, value }: FieldPlan, wire: number, values: MessageValues, depth: number): void {
    const items = (values[index] ??= []) as unknown[]
    if (wire === value.wire) {
      items.push(this.#one(value, depth, undefined))
      return
    }
    if (wire !== WIRE.BYTES || value.wire === WIRE.BYTES) throw new ProtoError('it is of another wire type')
    this.take()
    const outer = this.#enter()
    while (this.position < this.end) items.push(this.#one(value, depth, undefined))
    this.end = outer
  }

  /** A map is a repeated message of a key in field 1 and a value in field 2. */
  #entry({ index, key, value }: FieldPlan, wire: number, values: MessageValues, depth: number): void {
    if (wire !== WIRE.BYTES || key === undefined) throw new ProtoError('it is of another wire type')
    const entries = (values[index] ??= new Map()) as Map<unknown, unknown>
    this.take()
    const outer = this.#enter()
    let [foundKey, found]: unknown[] = []
    while (this.position < this.end) {
      this.tag()
      const { number, wire } = this
      const part = number === 1 ? key : number === 2 ? value : undefined
      if (part === undefined) this.pass(number, wire, depth)
      else if (wire !== part.wire) throw new ProtoError('it is of another wire type')
      else if (number === 1) foundKey = this.#one(part, depth, undefined)
      else found = this.#one(part, depth, found as MessageValues | undefined)
    }
    this.end = outer
    entries.set(foundKey ?? defaultOf(key), found ?? defaultOf(value))
  }

  #one(plan: ValuePlan, depth: number, before: MessageValues | undefined): unknown {
    this.#count(1)
    this.scalar(plan.kind)
    const { kind, message } = plan
    if (message !== undefined) return this.#inner(kind, message, depth, before ?? [])
    if (kind === 'bool') return this.number === 1
    if (kind === 'enum') return plan.symbols.get(this.number) ?? String(this.number)
    const { bytes, start, length } = this
    if (kind === 'string') return bytes.toString('utf8', start, start + length)
    if (kind === 'bytes') return bytes.subarray(start, start + length)
    return this.big ?? (kind === 'uint64' || kind === 'fixed64' ? BigInt(this.number) : this.number)
  }

  #inner(kind: Kind, message: MessagePlan, depth: number, values: MessageValues): MessageValues {
    const outer = this.#enter()
    this.#message(message, depth + 1, values)
    this.end = outer
    if (kind === 'timestamp' && microsOf(message, values) === undefined)
      throw new ProtoError('a timestamp is beyond the years 1 to 9999')
    return values
  }

  /** Goes to the bytes that were taken; gives where those around them end. */
  #enter(): number {
    const outer = this.end
    this.position = this.start
    this.end = this.start + this.length
    return outer
  }

  #message(plan: MessagePlan, depth: number, values: MessageValues): void {
    if (depth > MAX_DEPTH) throw new ProtoError(`it is nested deeper than ${MAX_DEPTH}`)
    // Those that are not set become values, too.
    this.#count(plan.fields.length)
    while (this.position < this.end) {
      this.tag()
      const { number, wire } = this
      const field = plan.byNumber.get(number)
      if (field === undefined) this.pass(number, wire, depth)
      else this.field(field, wire, values, depth)
    }
    for (const { label, index, name } of plan.fields)
      if (label === 'required' && values[index] === undefined) throw new ProtoError(`required ${name} is missing`)
  }

  #count(values: number): void {
    this.#valuesLeft -= values
    if (this.#valuesLeft < 0) throw new ProtoError(`it has more than ${MAX_VALUES} values`)
  }
}
